#include <openssl/x509_vfy.h>

#include <algorithm>

#include "security/tls_context.h"
#include "security/x509_text.h"

/// What a session asks of its peer: a certificate of our CA that is not revoked, and a common protocol.
namespace wattmesh::security {

namespace {

void sk_X509_free_only(STACK_OF(X509) * stack) { sk_X509_free(stack); }

int session_index() {
    static const int index = SSL_get_ex_new_index(0, nullptr, nullptr, nullptr, nullptr);
    return index;
}

bool contains(const std::vector<std::string>& list, std::string_view name) {
    return std::find(list.begin(), list.end(), name) != list.end();
}

constexpr int certificate_demanded = SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT;

/// The first of our protocols that is in the client's list (RFC 7301 3.1: names with a length octet each).
std::string_view choose_protocol(const std::vector<std::string>& ours, Bytes offered) {
    for (const auto& name : ours) {
        for (std::size_t at = 0; at < offered.size();) {
            const std::size_t size = offered[at];
            if (size == 0 || at + 1 + size > offered.size()) break;
            const Bytes candidate = offered.subspan(at + 1, size);
            if (std::equal(candidate.begin(), candidate.end(), name.begin(), name.end())) return name;
            at += 1 + size;
        }
    }
    return {};
}

TlsSession::Impl& session_verifying(X509_STORE_CTX* verification) {
    return session_of(
        static_cast<SSL*>(X509_STORE_CTX_get_ex_data(verification, SSL_get_ex_data_X509_STORE_CTX_idx())));
}

/// Called for every certificate of the chain, leaf last, and for every fault.
int on_certificate(int good, X509_STORE_CTX* verification) {
    auto& session = session_verifying(verification);
    X509* certificate = X509_STORE_CTX_get_current_cert(verification);
    const int depth = X509_STORE_CTX_get_error_depth(verification);
    if (good == 0) {
        session.refusal = "the peer's certificate is refused: ";
        session.refusal += X509_verify_cert_error_string(X509_STORE_CTX_get_error(verification));
        return 0;
    }
    const auto& revoked = session.context->impl().settings.revoked;
    if (depth != 0 || !revoked) return 1;
    const CertificateFacts facts = facts_of(certificate);
    if (!revoked(facts)) return 1;
    session.refusal = "the peer's certificate is revoked: serial " + facts.serial;
    X509_STORE_CTX_set_error(verification, X509_V_ERR_CERT_REVOKED);
    return 0;
}

/// Runs before anything else of a ClientHello: whether a certificate is asked for depends on the protocol.
int on_client_hello(SSL* ssl, int* alert, void*) {
    auto& session = session_of(ssl);
    const auto& context = session.context->impl();
    const unsigned char* data = nullptr;
    std::size_t size = 0;
    std::string_view chosen;
    if (SSL_client_hello_get0_ext(ssl, TLSEXT_TYPE_application_layer_protocol_negotiation, &data, &size) ==
            1 &&
        size >= 2) {
        chosen = choose_protocol(context.settings.protocols, Bytes{data, size}.subspan(2));
    }
    if (chosen.empty() && context.settings.without_protocol) {
        SSL_set_verify(ssl, context.settings.client_certificate ? certificate_demanded : SSL_VERIFY_NONE,
                       on_certificate);
        session.protocol.clear();
        return SSL_CLIENT_HELLO_SUCCESS;
    }
    if (chosen.empty()) {
        session.refusal = "the peer offers none of our protocols (ALPN)";
        *alert = SSL_AD_NO_APPLICATION_PROTOCOL;
        return SSL_CLIENT_HELLO_ERROR;
    }
    // Set both ways: after a retry request (RFC 8446 4.1.4) this runs again, on another ClientHello.
    const bool exempt = contains(context.settings.protocols_without_certificate, chosen);
    SSL_set_verify(ssl, exempt ? SSL_VERIFY_NONE : certificate_demanded, on_certificate);
    SSL_clear_chain_certs(ssl);
    if (exempt && SSL_add1_chain_cert(ssl, context.ca.get()) != 1) return SSL_CLIENT_HELLO_ERROR;
    session.protocol = chosen;
    return SSL_CLIENT_HELLO_SUCCESS;
}

/// Repeats the choice of on_client_hello, so that what was decided about the certificate is what is agreed.
int on_alpn(SSL* ssl, const unsigned char** out, unsigned char* out_size, const unsigned char*, unsigned int,
            void*) {
    const auto& chosen = session_of(ssl).protocol;
    if (chosen.empty())
        return session_of(ssl).context->impl().settings.without_protocol ? SSL_TLSEXT_ERR_NOACK
                                                                         : SSL_TLSEXT_ERR_ALERT_FATAL;
    *out = as_bytes(chosen).data();
    *out_size = static_cast<unsigned char>(chosen.size());
    return SSL_TLSEXT_ERR_OK;
}

/// Instead of the trust store: the certificate of the peer's chain that has the fingerprint is the CA.
int verify_by_fingerprint(X509_STORE_CTX* verification, void*) {
    auto& session = session_verifying(verification);
    const Bytes expected = session.context->impl().settings.ca_fingerprint;
    STACK_OF(X509)* chain = X509_STORE_CTX_get0_untrusted(verification);
    const Handle<STACK_OF(X509), sk_X509_free_only> trusted{sk_X509_new_null()};
    for (int i = 0; i < sk_X509_num(chain); ++i) {
        X509* candidate = sk_X509_value(chain, i);
        const Fingerprint found = fingerprint(x509_der(candidate));
        if (equal_constant_time(Bytes{found}.first(expected.size()), expected))
            sk_X509_push(trusted.get(), candidate);
    }
    if (sk_X509_num(trusted.get()) == 0) {
        session.refusal = "no certificate of the peer's chain has the expected CA fingerprint";
        X509_STORE_CTX_set_error(verification, X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY);
        return 0;
    }
    X509_STORE_CTX_set0_trusted_stack(verification, trusted.get());
    return X509_verify_cert(verification);
}

}  // namespace

TlsSession::Impl& session_of(SSL* ssl) {
    return *static_cast<TlsSession::Impl*>(SSL_get_ex_data(ssl, session_index()));
}

void bind_session(SSL* ssl, TlsSession::Impl& session) {
    check(SSL_set_ex_data(ssl, session_index(), &session), "tls session");
}

void install_peer_checks(SSL_CTX* context, const TlsSettings& settings) {
    SSL_CTX_set_verify(context, certificate_demanded, on_certificate);
    if (settings.role == TlsRole::server) {
        SSL_CTX_set_client_hello_cb(context, on_client_hello, nullptr);
        SSL_CTX_set_alpn_select_cb(context, on_alpn, nullptr);
    } else if (!settings.ca_fingerprint.empty()) {
        SSL_CTX_set_cert_verify_callback(context, verify_by_fingerprint, nullptr);
    }
}

}  // namespace wattmesh::security
