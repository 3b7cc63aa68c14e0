#include "platform/acceptor.h"

#include <boost/asio/ip/tcp.hpp>
#include <list>
#include <utility>

#include "platform/loop_impl.h"
#include "platform/tcp_link.h"

namespace wattmesh::platform {

namespace asio = boost::asio;
using boost::system::error_code;

namespace {

using ReusePort = asio::detail::socket_option::boolean<SOL_SOCKET, SO_REUSEPORT>;
constexpr std::chrono::milliseconds pause_after_fault{200};

asio::ip::tcp::acceptor listen(Loop& loop, const AcceptorSettings& settings) {
    const auto name = settings.address + ":" + std::to_string(settings.port);
    error_code error;
    const auto address = asio::ip::make_address(settings.address, error);
    if (error)
        throw SocketError("cannot listen on " + name + ": \"" + settings.address +
                          "\" is not a numeric IP address");
    const asio::ip::tcp::endpoint end{address, settings.port};
    asio::ip::tcp::acceptor acceptor{loop.impl().io};
    acceptor.open(end.protocol(), error);
    if (!error) acceptor.set_option(asio::socket_base::reuse_address{true}, error);
    if (!error && settings.share_port) acceptor.set_option(ReusePort{true}, error);
    if (!error) acceptor.bind(end, error);
    if (!error) acceptor.listen(asio::socket_base::max_listen_connections, error);
    if (error) throw SocketError("cannot listen on " + name + ": " + error.message());
    return acceptor;
}

}  // namespace

struct Acceptor::Core : std::enable_shared_from_this<Core> {
    struct Handshake {
        Handshake(Loop& loop, std::unique_ptr<TlsLink> under_way)
            : link(std::move(under_way)), timeout(loop) {}
        std::unique_ptr<TlsLink> link;
        Timer timeout;
    };

    Core(Loop& owner, AcceptorSettings with)
        : loop(owner), settings(std::move(with)), acceptor(listen(loop, settings)), pause(loop) {}

    void accept() {
        acceptor.async_accept(
            [self = shared_from_this()](const error_code& error, asio::ip::tcp::socket socket) {
                if (self->stopped || error == asio::error::operation_aborted) return;
                if (error) {  // no descriptor left, mostly: waiting beats spinning
                    self->on_refused("unknown peer", "cannot accept: " + error.message());
                    self->pause.after_real(pause_after_fault, [&core = *self] { core.accept(); });
                    return;
                }
                self->take(
                    std::make_unique<TcpLink>(self->loop, std::move(socket), self->settings.write_queue_max));
                if (!self->stopped) self->accept();
            });
    }
    void take(std::unique_ptr<TcpLink> link) {
        if (!settings.tls) return on_link(std::move(link));
        if (handshakes.size() >= settings.handshakes_max) {
            return on_refused(link->peer_address(), "too many TLS handshakes at once");
        }
        auto secure = std::make_unique<TlsLink>(loop, std::move(link), settings.tls, loop.now());
        const auto at = handshakes.emplace(handshakes.end(), loop, std::move(secure));
        at->timeout.after_real(settings.handshake_real_max,
                               [this, at] { finish(at, "TLS handshake took too long"); });
        at->link->handshake([this, at](const std::string& reason) { finish(at, reason); });
    }
    void finish(std::list<Handshake>::iterator at, const std::string& reason) {
        auto link = std::move(at->link);
        const std::string why = reason;  // may live in what is erased
        handshakes.erase(at);
        if (stopped) return;
        if (why.empty()) return on_link(std::move(link));
        on_refused(link->peer_address(), why);
    }

    Loop& loop;
    AcceptorSettings settings;
    asio::ip::tcp::acceptor acceptor;
    Timer pause;
    std::list<Handshake> handshakes;
    OnLink on_link;
    OnRefused on_refused;
    bool stopped = false;
};

Acceptor::Acceptor(Loop& loop, AcceptorSettings settings)
    : core_(std::make_shared<Core>(loop, std::move(settings))) {}
Acceptor::~Acceptor() { stop(); }

void Acceptor::start(OnLink on_link, OnRefused on_refused) {
    core_->on_link = std::move(on_link);
    core_->on_refused = std::move(on_refused);
    core_->accept();
}

void Acceptor::stop() {
    if (std::exchange(core_->stopped, true)) return;
    error_code ignored;
    core_->acceptor.close(ignored);
    core_->pause.cancel();
    core_->handshakes.clear();
}

void Acceptor::set_tls(TlsLink::Context tls) { core_->settings.tls = std::move(tls); }
std::uint16_t Acceptor::port() const { return core_->acceptor.local_endpoint().port(); }

}  // namespace wattmesh::platform
