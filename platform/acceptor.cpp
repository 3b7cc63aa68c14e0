#include "platform/acceptor.h"

#include <boost/asio/ip/tcp.hpp>
#include <list>
#include <set>
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

    /// A connection whose first octet says whether it is TLS.
    struct Look {
        Look(Loop& loop, asio::ip::tcp::socket waiting) : socket(std::move(waiting)), timeout(loop) {}
        asio::ip::tcp::socket socket;
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
                self->judge(std::move(socket));
                if (!self->stopped) self->accept();
            });
    }
    void judge(asio::ip::tcp::socket socket) {
        if (settings.refuse) {
            error_code ignored;
            const auto peer = socket.remote_endpoint(ignored).address().to_string();
            if (const auto why = settings.refuse(peer); !why.empty()) return on_refused(peer, why);
        }
        if (settings.tls && settings.tls_offered) {
            if (looks.size() < settings.handshakes_max) return look(std::move(socket));
            return on_refused(TcpLink{loop, std::move(socket)}.peer_address(),
                              "too many connections say nothing");
        }
        take(std::move(socket), settings.tls != nullptr);
    }
    /// Who says nothing for as long as a handshake may take is no TLS client: those speak first.
    void look(asio::ip::tcp::socket socket) {
        const auto one = std::make_shared<Look>(loop, std::move(socket));
        looks.insert(one);
        one->timeout.after_real(settings.handshake_real_max, [this, waiting = std::weak_ptr{one}] {
            if (const auto late = waiting.lock()) decide(late);
        });
        one->socket.async_wait(asio::ip::tcp::socket::wait_read,
                               [self = shared_from_this(), one](const error_code&) { self->decide(one); });
    }
    void decide(const std::shared_ptr<Look>& one) {
        constexpr std::uint8_t handshake_record = 0x16;  // RFC 8446 5.1
        if (looks.erase(one) == 0) return;               // decided before, or stopped
        one->timeout.cancel();
        std::uint8_t first = 0;
        error_code ignored;
        one->socket.non_blocking(true, ignored);
        one->socket.receive(asio::buffer(&first, 1), asio::socket_base::message_peek, ignored);
        one->socket.cancel(ignored);
        take(std::move(one->socket), first == handshake_record);
    }
    void take(asio::ip::tcp::socket socket, bool secure_link) {
        auto link = std::make_unique<TcpLink>(loop, std::move(socket), settings.write_queue_max);
        if (!secure_link) return on_link(std::move(link));
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
    std::set<std::shared_ptr<Look>> looks;
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
    core_->looks.clear();
}

void Acceptor::set_tls(TlsLink::Context tls) { core_->settings.tls = std::move(tls); }
std::uint16_t Acceptor::port() const { return core_->acceptor.local_endpoint().port(); }

}  // namespace wattmesh::platform
