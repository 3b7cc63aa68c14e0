#pragma once
#include "security/openssl_handle.h"
#include "security/tls.h"

/// The insides of TlsContext and TlsSession. Only tls*.cpp include this.
namespace wattmesh::security {

struct TlsContext::Impl {
    TlsSettings settings;
    TlsContextHandle context;
    X509Handle ca;  ///< none when a client knows only the fingerprint
};

struct TlsSession::Impl {
    std::shared_ptr<const TlsContext> context;
    std::optional<Instant> now;
    TlsHandle ssl;
    BIO* from_network = nullptr;  ///< owned by ssl
    BIO* to_network = nullptr;    ///< owned by ssl
    State state = State::handshake;
    Buffer plain;
    std::string error, protocol;
    std::string refusal;  ///< what our own check of the peer found, better than the library's word
    std::optional<CertificateFacts> peer;

    void advance();
    void read();
    bool finish_handshake();
    void fail(const std::string& why);
    void fail_with_library_reason();
};

/// Installs the callbacks that look at the peer: certificate, revocation, ALPN.
void install_peer_checks(SSL_CTX* context, const TlsSettings& settings);
/// The session behind an SSL object inside a callback.
TlsSession::Impl& session_of(SSL* ssl);
void bind_session(SSL* ssl, TlsSession::Impl& session);

}  // namespace wattmesh::security
