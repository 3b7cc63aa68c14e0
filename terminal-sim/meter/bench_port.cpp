#include "terminal-sim/meter/bench_port.h"

#include "platform/log.h"
#include "protocol/link/hdlc_link.h"
#include "protocol/link/wrapper.h"

namespace wattmesh::sim {
namespace {

const platform::Log& log() {
    static const platform::Log source{"meter.port"};
    return source;
}

link::HdlcLink::Config secondary() {
    link::HdlcLink::Config config;
    config.role = link::HdlcLink::Role::server;
    config.own.upper = management_logical_device.value;
    return config;
}

}  // namespace

std::optional<LinkKind> link_kind(std::string_view word) {
    if (word == "wrapper") return LinkKind::wrapper;
    if (word == "hdlc") return LinkKind::hdlc;
    return std::nullopt;
}

/// One TCP connection: a link layer and a DLMS server.
class BenchPort::Connection {
public:
    Connection(platform::Loop& loop, LinkKind kind, std::unique_ptr<platform::Link> link,
               std::unique_ptr<dlms::Server> server, std::function<void()> on_over)
        : loop_(loop),
          kind_(kind),
          server_(std::move(server)),
          on_over_(std::move(on_over)),
          idle_(loop),
          partial_(loop),
          link_(std::move(link)) {
        link_->start(
            {[this](Bytes bytes) { receive(bytes); }, [this](const std::string& reason) { over(reason); }});
        watch();
    }

private:
    void receive(Bytes bytes) {
        if (kind_ == LinkKind::wrapper)
            receive_wrapper(bytes);
        else
            receive_hdlc(bytes);
        watch();
    }
    void receive_wrapper(Bytes bytes) {
        wrapper_.feed(bytes);
        while (auto frame = wrapper_.next()) {
            if (frame->destination != management_logical_device)
                continue;  // another logical device: nobody home
            const Sap client = frame->source;
            server_->handle(client, frame->payload, loop_.now(), [this, client](Buffer apdu) {
                send(link::encode_wrapper({management_logical_device, client, std::move(apdu)}));
            });
        }
        if (wrapper_.error()) {
            log().warning("closed connection peer={} reason={}", link_->peer_address(),
                          to_string(wrapper_.error()->fault));
            link_->close();
        }
    }
    void receive_hdlc(Bytes bytes) {
        const bool was_open = hdlc_.state() == link::HdlcLink::State::open;
        const Sap client{hdlc_.peer().upper};
        hdlc_.feed(bytes);
        if (was_open && (hdlc_.state() != link::HdlcLink::State::open || hdlc_.peer().upper != client.value))
            server_->disconnect(client);
        while (const auto apdu = hdlc_.take_apdu())
            server_->handle(Sap{hdlc_.peer().upper}, *apdu, loop_.now(),
                            [this](Buffer answer) { hdlc_.send_apdu(answer); });
        while (const auto octets = hdlc_.take_output()) send(*octets);
    }
    void send(Bytes bytes) {
        if (!link_->send(bytes)) link_->close();
    }
    void watch() {
        idle_.after_real(idle_real_max, [this] { link_->close(); });
        const bool partial = kind_ == LinkKind::wrapper ? wrapper_.partial() : hdlc_.partial();
        if (!partial)
            partial_.cancel();
        else if (!partial_.armed())
            partial_.after_real(partial_real_max, [this] { link_->close(); });
    }
    void over(const std::string& reason) {
        log().information("closed connection peer={} reason={}", link_->peer_address(),
                          platform::quoted(reason));
        on_over_();
    }

    platform::Loop& loop_;
    LinkKind kind_;
    std::unique_ptr<dlms::Server> server_;
    std::function<void()> on_over_;
    link::WrapperDecoder wrapper_;
    link::HdlcLink hdlc_{secondary()};
    platform::Timer idle_, partial_;
    std::unique_ptr<platform::Link> link_;
};

BenchPort::BenchPort(platform::Loop& loop, const std::string& address, std::uint16_t port, LinkKind kind,
                     std::function<std::unique_ptr<dlms::Server>()> make_server)
    : loop_(loop),
      kind_(kind),
      make_server_(std::move(make_server)),
      acceptor_(loop, {.address = address, .port = port, .tls = {}}) {
    acceptor_.start([this](std::unique_ptr<platform::Link> link) { take(std::move(link)); },
                    [](const std::string& peer, const std::string& reason) {
                        log().warning("refused connection peer={} reason={}", peer, platform::quoted(reason));
                    });
}

BenchPort::~BenchPort() = default;

void BenchPort::take(std::unique_ptr<platform::Link> link) {
    if (connections_.size() >= connections_max) {
        log().warning("refused connection peer={} reason=\"{} connections are open\"", link->peer_address(),
                      connections_max);
        return;
    }
    log().information("opened connection peer={}", link->peer_address());
    const int id = next_++;
    connections_[id] = std::make_unique<Connection>(loop_, kind_, std::move(link), make_server_(),
                                                    [this, id] { connections_.erase(id); });
}

}  // namespace wattmesh::sim
