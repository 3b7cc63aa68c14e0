#pragma once
#include <boost/asio/ip/tcp.hpp>

#include "platform/link.h"

namespace wattmesh::platform {

/// A connected TCP socket as a Link. Holds no read buffer while idle.
class TcpLink : public Link {
public:
    TcpLink(Loop& loop, boost::asio::ip::tcp::socket socket,
            std::size_t write_queue_max = write_queue_default);
    ~TcpLink() override;

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
