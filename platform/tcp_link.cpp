#include "platform/tcp_link.h"

#include <algorithm>
#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <utility>

#include "platform/loop_impl.h"

namespace wattmesh::platform {

namespace asio = boost::asio;
using boost::system::error_code;

namespace {
constexpr int reads_in_a_row_max = 4;  // then other links get their turn
constexpr std::chrono::seconds farewell_real_max{5};

std::string address_of(const asio::ip::tcp::socket& socket) {
    error_code error;
    const auto end = socket.remote_endpoint(error);
    if (error) return "unknown peer";
    const auto host = end.address().to_string();
    return (end.address().is_v6() ? "[" + host + "]" : host) + ":" + std::to_string(end.port());
}
}  // namespace

/// Outlives the TcpLink while the last octets leave.
struct TcpLink::Core : std::enable_shared_from_this<Core> {
    enum class State : std::uint8_t { open, flushing, farewell, over };

    Core(Loop& loop, asio::ip::tcp::socket connected, std::size_t queue_max)
        : socket(std::move(connected)),
          farewell(loop.impl().io),
          write_queue_max(queue_max),
          address(address_of(socket)) {
        error_code ignored;
        socket.non_blocking(true, ignored);
        socket.set_option(asio::ip::tcp::no_delay{true}, ignored);
        socket.set_option(asio::socket_base::keep_alive{true}, ignored);
    }

    void wait_readable() {
        if (waiting || (paused && state == State::open) || state == State::over ||
            (!started && state == State::open))
            return;
        waiting = true;
        socket.async_wait(asio::ip::tcp::socket::wait_read,
                          [self = shared_from_this()](const error_code& error) {
                              self->waiting = false;
                              if (!error) self->read();
                          });
    }
    void read() {
        static thread_local std::array<std::uint8_t, 16'384> scratch;  // all links of one loop's thread
        for (int round = 0; round < reads_in_a_row_max; ++round) {
            if (state == State::over || (paused && state == State::open)) return;
            error_code error;
            const std::size_t count = socket.read_some(asio::buffer(scratch), error);
            if (error == asio::error::would_block) break;
            if (error) return state == State::farewell ? end({}) : end(why(error));
            if (state == State::open) deliver(Bytes{scratch}.first(count));
        }
        wait_readable();
    }
    void deliver(Bytes bytes) {
        const auto on_bytes = events.on_bytes;  // a copy: the owner may destroy the link meanwhile
        if (!on_bytes) return;
        try {
            on_bytes(bytes);
        } catch (const std::exception& failure) {
            end(std::string{"the link's owner failed: "} + failure.what());
        }
    }
    static std::string why(const error_code& error) {
        return error == asio::error::eof ? "closed by the peer" : error.message();
    }

    std::size_t room() const {
        return write_queue_max - std::min(write_queue_max, pending.size() + writing.size());
    }
    bool send(Bytes bytes) {
        if (state != State::open || bytes.size() > room()) return false;
        pending.insert(pending.end(), bytes.begin(), bytes.end());
        if (writing.empty()) write();
        return true;
    }
    void write() {
        if (pending.empty()) {
            if (state == State::flushing) say_goodbye();
            return;
        }
        writing = std::exchange(pending, {});
        asio::async_write(socket, asio::buffer(writing),
                          [self = shared_from_this()](const error_code& error, std::size_t) {
                              self->writing = {};
                              if (self->state == State::over) return;
                              if (error) return self->end(why(error));
                              self->write();
                          });
    }

    void close() {
        if (state != State::open) return;
        state = State::flushing;
        farewell.expires_after(farewell_real_max);
        farewell.async_wait([self = shared_from_this()](const error_code& error) {
            if (!error) self->end("closed here; the peer did not take what was left");
        });
        // Through the loop: on_closed never comes inside close().
        if (writing.empty())
            asio::post(socket.get_executor(), [self = shared_from_this()] { self->write(); });
    }
    /// Everything is written. Waits a little for the peer's end, so that no reset overtakes our last octets.
    void say_goodbye() {
        error_code ignored;
        socket.shutdown(asio::ip::tcp::socket::shutdown_send, ignored);
        state = State::farewell;
        wait_readable();
        tell("closed here");
    }
    void end(const std::string& reason) {
        if (state == State::over) return;
        const bool told = state == State::farewell;
        cut();
        if (!told) tell(reason);
    }
    void tell(const std::string& reason) {
        const auto on_closed = std::exchange(events, {}).on_closed;
        if (on_closed) on_closed(reason);
    }
    void cut() {
        state = State::over;
        error_code ignored;
        socket.close(ignored);
        farewell.cancel();
        pending.clear();
    }

    asio::ip::tcp::socket socket;
    asio::steady_timer farewell;
    const std::size_t write_queue_max;
    const std::string address;
    LinkEvents events;
    State state = State::open;
    bool started = false, paused = false, waiting = false;
    Buffer pending, writing;
};

TcpLink::TcpLink(Loop& loop, asio::ip::tcp::socket socket, std::size_t write_queue_max)
    : core_(std::make_shared<Core>(loop, std::move(socket), write_queue_max)) {}

TcpLink::~TcpLink() {
    core_->events = {};
    if (core_->state == Core::State::open) core_->cut();
}

void TcpLink::start(LinkEvents events) {
    core_->events = std::move(events);
    core_->started = true;
    core_->wait_readable();
}
bool TcpLink::send(Bytes bytes) { return core_->send(bytes); }
void TcpLink::close() { core_->close(); }
void TcpLink::pause(bool paused) {
    core_->paused = paused;
    core_->wait_readable();
}
std::size_t TcpLink::room() const { return core_->room(); }
const std::string& TcpLink::peer_address() const { return core_->address; }
const std::optional<security::CertificateFacts>& TcpLink::peer() const {
    static const std::optional<security::CertificateFacts> none;
    return none;
}
const std::string& TcpLink::protocol() const {
    static const std::string none;
    return none;
}

}  // namespace wattmesh::platform
