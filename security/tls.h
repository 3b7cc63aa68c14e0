#pragma once
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/base/time.h"
#include "security/pki.h"

/// TLS 1.3 without a socket: octets in, octets out. Source: RFC 8446, RFC 7301 (ALPN).
namespace wattmesh::security {

enum class TlsRole : std::uint8_t { client, server };

/// What both ends of Wattmesh's uplink offer; the second one needs no client certificate.
inline constexpr std::string_view uplink_protocol = "wattmesh/1", enrolment_protocol = "wattmesh-enrol/1";

struct TlsSettings {
    TlsRole role = TlsRole::client;
    /// Own certificate and key. A server has both; a client that enrols has neither.
    std::string certificate_pem;
    SecretBuffer key_pem;
    /// The one CA whose certificates the peer may show. The system's trust store is never used.
    std::string ca_pem;
    /// Client, instead of `ca_pem`: the first octets (8 or more) of the SHA-256 of the CA certificate (DER)
    /// that the server's chain must hold. For enrolment, when nothing but the one-time code is known.
    Buffer ca_fingerprint;
    /// Client: what is offered; server: what is accepted, best first. A peer without a common one is refused.
    std::vector<std::string> protocols{std::string{uplink_protocol}};
    /// Server: of `protocols`, those that need no client certificate. The CA certificate is sent along there.
    std::vector<std::string> protocols_without_certificate;
    /// Devices of other makes: no protocol needs to be agreed on, and a client needs no certificate. Both
    /// ends.
    bool without_protocol = false;
    /// Server, with `without_protocol`: a client certificate of the CA is demanded all the same.
    bool client_certificate = false;
    /// Client: host name or IP address that the server's certificate must carry; empty: any server of this
    /// CA.
    std::string server_name;
    /// Asked for every peer certificate that is otherwise good; true refuses it (revoked). Runs on the
    /// session's thread inside receive(): answer from memory.
    std::function<bool(const CertificateFacts&)> revoked;
};

/// Settings, keys and trust that many sessions share. Immutable, may be shared by threads if `revoked` may.
/// No resumption (tickets), so that certificates are always checked, but of servers without_protocol.
class TlsContext {
public:
    /// Throws PkiError naming what does not parse or does not belong together.
    explicit TlsContext(TlsSettings settings);
    ~TlsContext();
    TlsContext(const TlsContext&) = delete;
    TlsContext& operator=(const TlsContext&) = delete;

    struct Impl;
    const Impl& impl() const { return *impl_; }

private:
    std::unique_ptr<Impl> impl_;
};

/// One connection. Not thread safe. After each call: take_output() to the network, take_plain() to the
/// application.
class TlsSession {
public:
    enum class State : std::uint8_t { handshake, open, closed, failed };

    /// `now` judges the validity of the peer's certificate; nothing: its times are not looked at, for a
    /// device whose clock is not trusted yet. A client's first message is in take_output() at once.
    TlsSession(std::shared_ptr<const TlsContext> context, std::optional<Instant> now);
    ~TlsSession();
    TlsSession(const TlsSession&) = delete;
    TlsSession& operator=(const TlsSession&) = delete;

    /// Octets from the network, cut anyhow. On a fault the state is `failed` and an alert is in the output.
    void receive(Bytes from_network);
    /// The transport ended. Without a close notify before it this is a fault: the end may be cut off.
    void transport_ended();
    /// Encrypts; false, and nothing is sent, unless the state is `open`.
    bool send(Bytes plain);
    /// Says close notify; the state is then `closed`.
    void close();

    Buffer take_output();
    Buffer take_plain();

    State state() const;
    /// Why it failed, for a log and an operator: never a secret, never the peer's own text. Empty unless
    /// `failed`.
    const std::string& error() const;
    /// The peer's verified certificate, once open; nothing for a client without one. A client is open before
    /// the server has judged the client's certificate: a refusal arrives later as a failure of receive().
    const std::optional<CertificateFacts>& peer() const;
    /// The protocol agreed by ALPN, once open.
    const std::string& protocol() const;

    struct Impl;

private:
    std::unique_ptr<Impl> impl_;
};

std::string_view to_string(TlsSession::State state);

}  // namespace wattmesh::security
