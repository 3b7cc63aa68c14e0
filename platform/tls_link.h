#pragma once
#include "platform/link.h"

namespace wattmesh::platform {

/// TLS over another link. Open once the handshake is through: Acceptor and Connector hand it out then.
class TlsLink : public Link {
public:
    using Context = std::shared_ptr<const security::TlsContext>;
    /// `now` as for security::TlsSession.
    TlsLink(Loop& loop, std::unique_ptr<Link> transport, Context context, std::optional<Instant> now);
    ~TlsLink() override;

    /// Once, before start(): `done(reason)` comes once from the loop; the reason is empty when the link is
    /// open.
    void handshake(std::function<void(const std::string& reason)> done);

    void start(LinkEvents events) override;
    bool send(Bytes bytes) override;
    void close() override;
    void pause(bool paused) override;
    std::size_t room() const override;
    const std::string& peer_address() const override;
    const std::optional<security::CertificateFacts>& peer() const override;
    const std::string& protocol() const override;

private:
    struct Core;
    std::shared_ptr<Core> core_;
};

}  // namespace wattmesh::platform
