#include "platform/connector.h"

#include <algorithm>
#include <boost/asio/connect.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <utility>

#include "platform/loop_impl.h"
#include "platform/tcp_link.h"

namespace wattmesh::platform {

namespace asio = boost::asio;
using boost::system::error_code;

struct Connector::Core : std::enable_shared_from_this<Core> {
    Core(Loop& owner, Random& chance, ConnectorSettings with)
        : loop(owner),
          random(chance),
          settings(std::move(with)),
          resolver(loop.impl().io),
          socket(loop.impl().io),
          timeout(loop),
          pause(loop) {}

    std::string name() const { return settings.host + ":" + std::to_string(settings.port); }

    /// Wraps a handler of one attempt: it runs only while that attempt is the current one.
    template <class Function>
    auto of_this_attempt(Function function) {
        return [self = shared_from_this(), attempt = attempt_,
                function](const auto&... values) -> decltype(function(std::declval<Core&>(), values...)) {
            if (attempt == self->attempt_) function(*self, values...);
        };
    }
    void attempt() {
        ++attempt_;
        timeout.after_real(settings.attempt_real_max,
                           [this] { failed("cannot reach " + name() + ": no answer in time"); });
        if (settings.dial) return dial();
        resolver.async_resolve(
            settings.host, std::to_string(settings.port),
            of_this_attempt(
                [](Core& core, const error_code& error, const asio::ip::tcp::resolver::results_type& ends) {
                    if (error)
                        return core.failed("cannot resolve " + core.settings.host + ": " + error.message());
                    core.connect(ends);
                }));
    }
    void connect(const asio::ip::tcp::resolver::results_type& ends) {
        socket = asio::ip::tcp::socket{loop.impl().io};
        asio::async_connect(
            socket, ends,
            of_this_attempt([](Core& core, const error_code& error, const asio::ip::tcp::endpoint&) {
                if (error) return core.failed("cannot reach " + core.name() + ": " + error.message());
                core.connected(std::make_unique<TcpLink>(core.loop, std::move(core.socket),
                                                         core.settings.write_queue_max));
            }));
    }
    void dial() {
        const auto through = settings.dial;
        through(settings.host, settings.port,
                [self = shared_from_this(), attempt = attempt_](std::unique_ptr<Link> made,
                                                                const std::string& reason) {
                    if (attempt != self->attempt_) return;
                    if (!made) return self->failed("cannot reach " + self->name() + ": " + reason);
                    self->connected(std::move(made));
                });
    }
    void connected(std::unique_ptr<Link> made) {
        if (!settings.tls) {
            link = std::move(made);
            return opened();
        }
        const auto now = settings.certificate_time ? settings.certificate_time() : std::optional{loop.now()};
        auto secure = std::make_unique<TlsLink>(loop, std::move(made), settings.tls, now);
        auto* handshake = secure.get();
        link = std::move(secure);
        handshake->handshake(of_this_attempt([](Core& core, const std::string& reason) {
            if (!reason.empty()) return core.failed("TLS with " + core.name() + ": " + reason);
            core.opened();
        }));
    }
    void opened() {
        timeout.cancel();
        open = true;
        const auto on_open = events.on_open;
        const auto current = attempt_;
        link->start({.on_bytes = of_this_attempt([](Core& core, Bytes bytes) {
                         const auto on_bytes = core.events.on_bytes;
                         if (on_bytes) on_bytes(bytes);
                     }),
                     .on_closed = of_this_attempt(
                         [](Core& core, const std::string& reason) { core.failed(reason); })});
        if (on_open && current == attempt_) on_open(*link);
    }
    void failed(const std::string& reason) {
        const std::string why = reason;  // may live in the link
        drop();
        const Duration wait = next_wait();
        pause.after(wait, [this] { attempt(); });
        const auto on_closed = events.on_closed;
        if (on_closed) on_closed(why, wait);
    }
    void drop() {
        ++attempt_;
        open = false;
        timeout.cancel();
        resolver.cancel();
        error_code ignored;
        socket.close(ignored);
        link.reset();
    }
    Duration next_wait() {
        const Duration full =
            std::min(settings.wait_max, settings.wait_min * (std::int64_t{1} << std::min(failures, 20)));
        ++failures;
        std::array<std::uint8_t, 4> chance{};
        random.fill(chance);
        const std::int64_t thousandths = (chance[0] << 16 | chance[1] << 8 | chance[2]) % 1'000;
        return full / 2 + full / 2 * thousandths / 1'000;
    }

    Loop& loop;
    Random& random;
    ConnectorSettings settings;
    ConnectorEvents events;
    asio::ip::tcp::resolver resolver;
    asio::ip::tcp::socket socket;
    std::unique_ptr<Link> link;
    Timer timeout, pause;
    int failures = 0;
    bool open = false;

private:
    std::uint64_t attempt_ = 0;
};

Connector::Connector(Loop& loop, Random& random, ConnectorSettings settings)
    : core_(std::make_shared<Core>(loop, random, std::move(settings))) {}
Connector::~Connector() { stop(); }

void Connector::start(ConnectorEvents events) {
    core_->events = std::move(events);
    core_->attempt();
}

void Connector::stop() {
    core_->events = {};
    core_->pause.cancel();
    if (core_->link && core_->open) core_->link->close();  // a farewell; what is queued still leaves
    core_->drop();
}

Link* Connector::link() { return core_->open ? core_->link.get() : nullptr; }
void Connector::settled() { core_->failures = 0; }
void Connector::set_tls(TlsLink::Context tls) { core_->settings.tls = std::move(tls); }
void Connector::reconnect() {
    if (link() != nullptr) link()->close();
}

}  // namespace wattmesh::platform
