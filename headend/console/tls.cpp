#include "headend/console/tls.h"

#include <Poco/Net/Context.h>
#include <Poco/Net/NetSSL.h>
#include <Poco/Net/SecureServerSocket.h>

namespace wattmesh::headend::console {

Poco::Net::ServerSocket secure_socket(const Poco::Net::SocketAddress& address, const std::string& certificate,
                                      const std::string& key) {
    // Browsers show no certificate of their own here: who they are is the log-in's business.
    Poco::Net::Context::Params parameters;
    parameters.certificateFile = certificate;
    parameters.privateKeyFile = key;
    parameters.verificationMode = Poco::Net::Context::VERIFY_NONE;
    Poco::Net::Context::Ptr context = new Poco::Net::Context{Poco::Net::Context::TLS_SERVER_USE, parameters};
    context->requireMinimumProtocol(Poco::Net::Context::PROTO_TLSV1_2);
    context->enableExtendedCertificateVerification(false);
    return Poco::Net::SecureServerSocket{address, 64, context};
}

}  // namespace wattmesh::headend::console
