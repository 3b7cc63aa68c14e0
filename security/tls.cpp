#include "security/tls.h"

#include <arpa/inet.h>
#include <openssl/crypto.h>
#include <openssl/err.h>

#include <algorithm>
#include <array>
#include <cassert>
#include <utility>

#include "security/master_key.h"
#include "security/tls_context.h"
#include "security/x509_text.h"

namespace wattmesh::security {

namespace {

constexpr std::size_t fingerprint_size_min = 8, fingerprint_size_max = 32;
constexpr long handshake_size_max = 16'384;
constexpr int chain_length_max = 3;

void use_identity(SSL_CTX* context, const TlsSettings& settings) {
    if (settings.certificate_pem.empty() && settings.key_pem.empty()) {
        if (settings.role == TlsRole::server) throw PkiError("a TLS server needs a certificate and its key");
        return;
    }
    const X509Handle certificate = x509_from_pem(settings.certificate_pem);
    if (!certificate) throw PkiError("the TLS certificate is not PEM text of an X.509 certificate");
    const KeyHandle key = key_from_pem(settings.key_pem);
    if (!key) throw PkiError("the TLS key is not PEM text of an unencrypted private key");
    check(SSL_CTX_use_certificate(context, certificate.get()), "tls certificate");
    if (SSL_CTX_use_PrivateKey(context, key.get()) != 1 || SSL_CTX_check_private_key(context) != 1) {
        openssl_errors();
        throw PkiError("the TLS key does not belong to the TLS certificate");
    }
}

X509Handle use_trust(SSL_CTX* context, const TlsSettings& settings) {
    if (!settings.ca_fingerprint.empty()) {
        const bool fits = settings.role == TlsRole::client && settings.ca_pem.empty() &&
                          settings.ca_fingerprint.size() >= fingerprint_size_min &&
                          settings.ca_fingerprint.size() <= fingerprint_size_max;
        if (!fits)
            throw PkiError("a CA fingerprint of 8 to 32 octets serves a TLS client without a CA certificate");
        return nullptr;
    }
    X509Handle ca = x509_from_pem(settings.ca_pem);
    if (!ca) throw PkiError("the CA certificate is not PEM text of an X.509 certificate");
    check(X509_STORE_add_cert(SSL_CTX_get_cert_store(context), ca.get()), "ca certificate");
    if (settings.role == TlsRole::server) check(SSL_CTX_add_client_CA(context, ca.get()), "ca certificate");
    return ca;
}

void offer_protocols(SSL_CTX* context, const std::vector<std::string>& protocols) {
    Buffer list;
    for (const auto& name : protocols) {
        if (name.empty() || name.size() > 255) throw PkiError("an ALPN name has 1 to 255 octets");
        list.push_back(static_cast<std::uint8_t>(name.size()));
        list.insert(list.end(), name.begin(), name.end());
    }
    // this one function returns 0 for success
    if (SSL_CTX_set_alpn_protos(context, list.data(), static_cast<unsigned>(list.size())) != 0) {
        throw CryptoError("alpn");
    }
}

void expect_name(SSL* ssl, const std::string& name) {
    std::array<std::uint8_t, 16> address{};
    const bool is_address = inet_pton(AF_INET, name.c_str(), address.data()) == 1 ||
                            inet_pton(AF_INET6, name.c_str(), address.data()) == 1;
    if (is_address) {
        check(X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), name.c_str()), "server address");
    } else {
        check(SSL_set1_host(ssl, name.c_str()), "server name");
        std::string copy = name;  // SSL_set_tlsext_host_name, whose macro casts in the old style
        check(static_cast<int>(
                  SSL_ctrl(ssl, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name, copy.data())),
              "server name");
    }
}

/// Tickets that any process with this key opens, before and after a restart: thousands of devices call again
/// at once then. Who has the key could forge a ticket, but also a handshake; what a resumed session says is
/// still protected by a key exchange of its own (RFC 8446, 2.2: psk_dhe_ke).
void give_tickets(SSL_CTX* context, const SecretBuffer& key_pem) {
    // Key name of 16 octets, then 32 for the HMAC and 32 for the cipher.
    const Key256 name = hkdf_sha256(key_pem.reveal(), "wattmesh tls ticket name"),
                 hmac = hkdf_sha256(key_pem.reveal(), "wattmesh tls ticket hmac"),
                 cipher = hkdf_sha256(key_pem.reveal(), "wattmesh tls ticket cipher");
    Buffer copy = to_buffer(name.reveal().first(16));
    copy.reserve(80);  // one place, wiped below
    for (const auto* const key : {&hmac, &cipher})
        copy.insert(copy.end(), key->reveal().begin(), key->reveal().end());
    const auto size = static_cast<long>(copy.size());
    const bool taken = SSL_CTX_ctrl(context, SSL_CTRL_SET_TLSEXT_TICKET_KEYS, size, copy.data()) == 1;
    OPENSSL_cleanse(copy.data(), copy.size());
    if (!taken) throw CryptoError("tls ticket keys");
    constexpr std::array<unsigned char, 7> group{'c', 'a', 'l', 'l', 'e', 'r', 's'};
    check(SSL_CTX_set_session_id_context(context, group.data(), group.size()), "tls session context");
    SSL_CTX_clear_options(context, SSL_OP_NO_TICKET);
    SSL_CTX_set_num_tickets(context, 1);
}

}  // namespace

TlsContext::TlsContext(TlsSettings settings) : impl_(std::make_unique<Impl>()) {
    ERR_clear_error();
    if (settings.protocols.empty() && !settings.without_protocol)
        throw PkiError("TLS needs at least one protocol name (ALPN)");
    impl_->settings = std::move(settings);
    const auto& ours = impl_->settings;
    const bool server = ours.role == TlsRole::server;
    impl_->context.reset(
        check(SSL_CTX_new(server ? TLS_server_method() : TLS_client_method()), "tls context"));
    SSL_CTX* context = impl_->context.get();
    check(static_cast<int>(SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION)), "tls version");
    SSL_CTX_set_options(context, SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION);
    SSL_CTX_set_num_tickets(context, 0);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_NO_AUTO_CHAIN);
    SSL_CTX_set_max_cert_list(context, handshake_size_max);
    SSL_CTX_set_verify_depth(context, chain_length_max);
    use_identity(context, ours);
    if (server && ours.without_protocol && !ours.client_certificate) give_tickets(context, ours.key_pem);
    impl_->settings.key_pem = {};  // OpenSSL has its own now
    impl_->ca = use_trust(context, ours);
    if (!server && !ours.protocols.empty()) offer_protocols(context, ours.protocols);
    install_peer_checks(context, ours);
}

TlsContext::~TlsContext() = default;

TlsSession::TlsSession(std::shared_ptr<const TlsContext> context, std::optional<Instant> now)
    : impl_(std::make_unique<Impl>()) {
    ERR_clear_error();
    const auto& settings = context->impl().settings;
    impl_->ssl.reset(check(SSL_new(context->impl().context.get()), "tls session"));
    impl_->context = std::move(context);
    SSL* ssl = impl_->ssl.get();
    impl_->from_network = check(BIO_new(BIO_s_mem()), "tls buffer");
    impl_->to_network = check(BIO_new(BIO_s_mem()), "tls buffer");
    SSL_set_bio(ssl, impl_->from_network, impl_->to_network);
    bind_session(ssl, *impl_);
    if (now) {
        const auto seconds = std::chrono::floor<std::chrono::seconds>(*now).time_since_epoch().count();
        X509_VERIFY_PARAM_set_time(SSL_get0_param(ssl), static_cast<time_t>(seconds));
    } else {
        check(X509_VERIFY_PARAM_set_flags(SSL_get0_param(ssl), X509_V_FLAG_NO_CHECK_TIME), "tls time");
    }
    if (settings.role == TlsRole::server) {
        SSL_set_accept_state(ssl);
    } else {
        if (!settings.server_name.empty()) expect_name(ssl, settings.server_name);
        SSL_set_connect_state(ssl);
        impl_->advance();
    }
}

TlsSession::~TlsSession() = default;

void TlsSession::Impl::fail(const std::string& why) {
    state = State::failed;
    error = refusal.empty() ? why : refusal;
    ERR_clear_error();
}

void TlsSession::Impl::fail_with_library_reason() { fail("TLS: " + openssl_errors()); }

/// True when nothing of the agreement is missing.
bool TlsSession::Impl::finish_handshake() {
    const unsigned char* name = nullptr;
    unsigned int size = 0;
    SSL_get0_alpn_selected(ssl.get(), &name, &size);
    protocol.assign(name, name + size);
    if (protocol.empty() && !context->impl().settings.without_protocol) {
        fail("the peer agreed to none of our protocols (ALPN)");
        return false;
    }
    if (X509* certificate = SSL_get0_peer_certificate(ssl.get())) peer = facts_of(certificate);
    const auto& exempt = context->impl().settings.protocols_without_certificate;
    if (!peer && !protocol.empty() && std::find(exempt.begin(), exempt.end(), protocol) == exempt.end()) {
        fail("the peer has no certificate");
        return false;
    }
    state = State::open;
    return true;
}

void TlsSession::Impl::advance() {
    ERR_clear_error();
    if (state == State::handshake) {
        const int result = SSL_do_handshake(ssl.get());
        if (result == 1) {
            if (!finish_handshake()) return;
        } else {
            const int reason = SSL_get_error(ssl.get(), result);
            if (reason != SSL_ERROR_WANT_READ && reason != SSL_ERROR_WANT_WRITE) fail_with_library_reason();
            return;
        }
    }
    read();
}

void TlsSession::Impl::read() {
    std::array<std::uint8_t, 16'384> chunk;
    while (state == State::open) {
        const int count = SSL_read(ssl.get(), chunk.data(), static_cast<int>(chunk.size()));
        if (count > 0) {
            plain.insert(plain.end(), chunk.begin(), chunk.begin() + count);
            continue;
        }
        switch (SSL_get_error(ssl.get(), count)) {
            case SSL_ERROR_WANT_READ:
            case SSL_ERROR_WANT_WRITE:
                return;
            case SSL_ERROR_ZERO_RETURN:
                SSL_shutdown(ssl.get());  // answers with our own close notify
                state = State::closed;
                return;
            default:
                fail_with_library_reason();
        }
    }
}

void TlsSession::receive(Bytes from_network) {
    if (state() == State::closed || state() == State::failed || from_network.empty()) return;
    std::size_t written = 0;
    check(BIO_write_ex(impl_->from_network, from_network.data(), from_network.size(), &written),
          "tls buffer");
    assert(written == from_network.size());
    impl_->advance();
}

void TlsSession::transport_ended() {
    if (state() == State::handshake) impl_->fail("the connection ended during the TLS handshake");
    if (state() == State::open) impl_->fail("the connection ended without a TLS close notify");
}

bool TlsSession::send(Bytes plain) {
    if (state() != State::open) return false;
    if (plain.empty()) return true;
    ERR_clear_error();
    std::size_t written = 0;
    if (SSL_write_ex(impl_->ssl.get(), plain.data(), plain.size(), &written) == 1) return true;
    impl_->fail_with_library_reason();
    return false;
}

void TlsSession::close() {
    if (state() == State::open) {
        ERR_clear_error();
        SSL_shutdown(impl_->ssl.get());
    }
    if (state() != State::failed) impl_->state = State::closed;
}

Buffer TlsSession::take_output() {
    Buffer output(BIO_ctrl_pending(impl_->to_network));
    std::size_t count = 0;
    if (!output.empty())
        check(BIO_read_ex(impl_->to_network, output.data(), output.size(), &count), "tls buffer");
    output.resize(count);
    return output;
}

Buffer TlsSession::take_plain() { return std::exchange(impl_->plain, {}); }
TlsSession::State TlsSession::state() const { return impl_->state; }
const std::string& TlsSession::error() const { return impl_->error; }
const std::optional<CertificateFacts>& TlsSession::peer() const { return impl_->peer; }
const std::string& TlsSession::protocol() const { return impl_->protocol; }

std::string_view to_string(TlsSession::State state) {
    switch (state) {
        case TlsSession::State::handshake:
            return "handshake";
        case TlsSession::State::open:
            return "open";
        case TlsSession::State::closed:
            return "closed";
        case TlsSession::State::failed:
            return "failed";
    }
    return "?";
}

}  // namespace wattmesh::security
