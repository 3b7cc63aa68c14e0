#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>
#include <csignal>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <memory>
#include <queue>
#include <random>

#include <string>
#include <utility>
#include <vector>

#include "protocol/base/writer.h"
#include "protocol/link/fcs.h"
#include "tests/bench/sessions/shared.h"

namespace wattmesh::bench {
namespace {

using Clock = std::chrono::steady_clock;
using Time = Clock::time_point;

constexpr int connecting_max = 200;  ///< of one process at once
constexpr std::size_t journal_octets = 1'000, header_octets = 8;
constexpr auto login_timeout = std::chrono::seconds{20};

enum class State : std::uint8_t { down, connecting, shaking, logging_in, up };

struct Device {
    int fd = -1;
    State state = State::down;
    bool heavy = false;
    std::uint32_t generation = 0;  ///< of the connection: timers of an older one are void
    Time beat_sent{};              ///< 0: none is open
    SSL* tls = nullptr;
    SSL_SESSION* ticket = nullptr;
    Buffer rest;  ///< an unfinished frame
};

/// As captured from LONGI devices (uplink fact sheet 2).
Buffer hello(const std::string& number, bool login) {
    Writer body;
    body.u8(login ? 0x02 : 0x01).u8(0x0C).bytes(as_bytes(number));
    if (login) body.u8(0);
    const Buffer covered = body.take();
    const std::uint16_t sum = link::fcs16(covered);
    Writer out;
    out.u16(1).u16(1).u16(1).u16(static_cast<std::uint16_t>(covered.size() + 3));
    out.u8(login ? 0x0A : 0x0C).bytes(covered);
    out.u8(static_cast<std::uint8_t>(sum)).u8(static_cast<std::uint8_t>(sum >> 8));
    return out.take();
}

/// A DataNotification in clear, of 1 kB with its wrapper.
Buffer journal() {
    Writer out;
    out.u16(1).u16(1).u16(1).u16(journal_octets - header_octets).u8(0x0F).u32(1).u8(0);
    out.u8(0x09).u8(0x82).u16(journal_octets - header_octets - 10);
    Buffer octets = out.take();
    octets.resize(journal_octets);
    return octets;
}

class Clients {
public:
    Clients(const Load& load, Shared& shared) : load_(load), shared_(shared), devices_(count()) {
        random_.seed(static_cast<unsigned>(load.index) + 1U);
        for (std::size_t i = 0; i < devices_.size(); ++i)
            devices_[i].heavy = static_cast<double>(i % 1'000) < load.heavy_share * 1'000;
        if (load.tls) make_tls();
    }
    void run();

private:
    struct Due {
        Time at;
        std::size_t device = 0;
        std::uint32_t generation = 0;
        bool journal = false;
        bool operator>(const Due& other) const { return at > other.at; }
    };
    std::size_t count() const { return static_cast<std::size_t>(load_.count); }
    std::string number(std::size_t device) const {
        return std::to_string(load_.first + static_cast<std::uint64_t>(device));
    }
    void make_tls();
    void start(std::size_t index);
    void on_event(std::size_t index, std::uint32_t events);
    void shake(std::size_t index);
    void log_in(std::size_t index);
    void read(std::size_t index);
    void take_frames(Device& device, std::size_t index, const std::uint8_t* octets, std::size_t size);
    void on_answer(Device& device, std::size_t index);
    void send(std::size_t index, const Buffer& frame);
    void on_due(const Due& due);
    void fail(std::size_t index);
    double uniform(double low, double high) { return std::uniform_real_distribution{low, high}(random_); }
    void later(std::size_t index, double seconds, bool journal = false) {
        const auto wait = std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
        due_.push({Clock::now() + wait, index, devices_[index].generation, journal});
    }

    Load load_;
    Shared& shared_;
    std::vector<Device> devices_;
    std::mt19937 random_;
    std::priority_queue<Due, std::vector<Due>, std::greater<>> due_;
    int poll_ = ::epoll_create1(0), connecting_ = 0;
    std::size_t next_new_ = 0;
    std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> tls_{nullptr, SSL_CTX_free};
    Buffer journal_ = journal();
};

/// Tickets come after the handshake; the newest one is used for the next call.
int keep_ticket(SSL* tls, SSL_SESSION* ticket) {
    auto& device = *static_cast<Device*>(SSL_get_app_data(tls));
    // A copy: OpenSSL spoils its own when the link is cut.
    SSL_SESSION_free(std::exchange(device.ticket, SSL_SESSION_dup(ticket)));
    return 0;
}

void Clients::make_tls() {
    tls_.reset(SSL_CTX_new(TLS_client_method()));
    SSL_CTX_set_verify(tls_.get(), SSL_VERIFY_NONE,
                       nullptr);  // the server's certificate is not what is measured
    SSL_CTX_set_session_cache_mode(tls_.get(), SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(tls_.get(), keep_ticket);
    SSL_CTX_set_mode(tls_.get(), SSL_MODE_RELEASE_BUFFERS);
}

void Clients::start(std::size_t index) {
    Device& device = devices_[index];
    ++device.generation;
    device.fd = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    const int on = 1;
    ::setsockopt(device.fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
    ::setsockopt(device.fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    sockaddr_in from{}, to{};
    from.sin_family = to.sin_family = AF_INET;
    const auto source = static_cast<std::uint32_t>(index % static_cast<std::size_t>(load_.sources));
    from.sin_addr.s_addr = htonl(0x7F000100U + (static_cast<std::uint32_t>(load_.index) << 8U) + 1U + source);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    to.sin_port = htons(load_.port);
    ++connecting_;
    device.state = State::connecting;
    if (::bind(device.fd, reinterpret_cast<sockaddr*>(&from), sizeof from) != 0) return fail(index);
    if (::connect(device.fd, reinterpret_cast<sockaddr*>(&to), sizeof to) != 0 && errno != EINPROGRESS)
        return fail(index);
    epoll_event event{};
    event.events = EPOLLOUT | EPOLLIN;
    event.data.u64 = index;
    ::epoll_ctl(poll_, EPOLL_CTL_ADD, device.fd, &event);
    later(index, std::chrono::duration<double>(login_timeout).count());
}

void Clients::fail(std::size_t index) {
    Device& device = devices_[index];
    if (device.state == State::up) {
        shared_.sessions.fetch_sub(1);
        shared_.lost.fetch_add(1);
    } else {
        --connecting_;
        shared_.refused.fetch_add(1);
    }
    SSL_free(std::exchange(device.tls, nullptr));
    ::close(std::exchange(device.fd, -1));
    device.state = State::down;
    device.rest = {};
    device.beat_sent = {};
    ++device.generation;
    later(index, uniform(2, 30));
}

void Clients::on_event(std::size_t index, std::uint32_t events) {
    Device& device = devices_[index];
    if (device.fd < 0) return;
    if (device.state == State::connecting) {
        int error = 0;
        socklen_t size = sizeof error;
        ::getsockopt(device.fd, SOL_SOCKET, SO_ERROR, &error, &size);
        if (error != 0 || (events & EPOLLERR) != 0) return fail(index);
        if (!tls_) return log_in(index);
        device.state = State::shaking;
        device.tls = SSL_new(tls_.get());
        SSL_set_app_data(device.tls, &device);
        SSL_set_fd(device.tls, device.fd);
        if (device.ticket != nullptr) SSL_set_session(device.tls, device.ticket);
        return shake(index);
    }
    if (device.state == State::shaking) return shake(index);
    read(index);
}

void Clients::shake(std::size_t index) {
    Device& device = devices_[index];
    const int done = SSL_connect(device.tls);
    if (done == 1) {
        shared_.handshakes.fetch_add(1);
        if (SSL_session_reused(device.tls) == 1) shared_.resumed.fetch_add(1);
        return log_in(index);
    }
    const int why = SSL_get_error(device.tls, done);
    if (why != SSL_ERROR_WANT_READ && why != SSL_ERROR_WANT_WRITE) return fail(index);
    epoll_event event{};
    event.events = why == SSL_ERROR_WANT_WRITE ? EPOLLOUT | EPOLLIN : EPOLLIN;
    event.data.u64 = index;
    ::epoll_ctl(poll_, EPOLL_CTL_MOD, device.fd, &event);
}

void Clients::log_in(std::size_t index) {
    Device& device = devices_[index];
    device.state = State::logging_in;
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.u64 = index;
    ::epoll_ctl(poll_, EPOLL_CTL_MOD, device.fd, &event);
    send(index, hello(number(index), true));
}

void Clients::send(std::size_t index, const Buffer& frame) {
    Device& device = devices_[index];
    const int size = static_cast<int>(frame.size());
    const auto sent = device.tls != nullptr
                          ? SSL_write(device.tls, frame.data(), size)
                          : static_cast<int>(::write(device.fd, frame.data(), frame.size()));
    if (sent != size) return fail(index);  // a peer that takes no kilobyte is as good as gone
    shared_.frames.fetch_add(1, std::memory_order_relaxed);
    shared_.octets.fetch_add(frame.size(), std::memory_order_relaxed);
}

void Clients::read(std::size_t index) {
    static std::array<std::uint8_t, 16'384> octets;
    Device& device = devices_[index];
    const std::uint32_t generation = device.generation;
    for (;;) {
        const auto size = device.tls != nullptr
                              ? SSL_read(device.tls, octets.data(), octets.size())
                              : static_cast<int>(::read(device.fd, octets.data(), octets.size()));
        if (size > 0) {
            take_frames(device, index, octets.data(), static_cast<std::size_t>(size));
            if (device.generation != generation) return;
            if (device.tls == nullptr) return;
            continue;
        }
        const bool waits = device.tls != nullptr ? SSL_get_error(device.tls, size) == SSL_ERROR_WANT_READ
                                                 : size < 0 && errno == EAGAIN;
        return waits ? void() : fail(index);
    }
}

void Clients::take_frames(Device& device, std::size_t index, const std::uint8_t* octets, std::size_t size) {
    device.rest.insert(device.rest.end(), octets, octets + size);
    std::size_t at = 0;
    while (device.rest.size() - at >= header_octets) {
        const std::size_t whole =
            header_octets + (std::size_t{device.rest[at + 6]} << 8U | device.rest[at + 7]);
        if (device.rest.size() - at < whole) break;
        const bool is_hello = whole < 64;  // an echo gives journal back, too
        at += whole;
        if (is_hello) on_answer(device, index);
    }
    device.rest.erase(device.rest.begin(), device.rest.begin() + static_cast<std::ptrdiff_t>(at));
    if (device.rest.empty()) device.rest = {};
}

void Clients::on_answer(Device& device, std::size_t index) {
    shared_.answers.fetch_add(1, std::memory_order_relaxed);
    if (device.state == State::logging_in) {
        --connecting_;
        device.state = State::up;
        ++device.generation;
        shared_.sessions.fetch_add(1);
        shared_.log_ins.fetch_add(1);
        later(index, uniform(0, load_.beat_s));
        if (device.heavy) later(index, uniform(0, 1), true);
        return;
    }
    if (device.beat_sent == Time{}) return;
    const auto took = std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - device.beat_sent);
    device.beat_sent = {};
    const auto slot = std::min<std::int64_t>(took.count() * Shared::slots_per_ms / 1'000, Shared::slots);
    shared_.beats[static_cast<std::size_t>(slot)].fetch_add(1, std::memory_order_relaxed);
}

/// A timer: the next beat or journal, the next call, a log-in that takes too long.
void Clients::on_due(const Due& due) {
    Device& device = devices_[due.device];
    if (device.generation != due.generation) return;
    if (device.state == State::down) {
        if (connecting_ >= connecting_max) return later(due.device, 0.2);
        return start(due.device);
    }
    if (device.state != State::up) return fail(due.device);
    if (!due.journal) device.beat_sent = Clock::now();
    send(due.device, due.journal ? journal_ : hello(number(due.device), false));
    if (device.state == State::up) later(due.device, due.journal ? 1 : load_.beat_s, due.journal);
}

void Clients::run() {
    std::array<epoll_event, 512> events{};
    for (;;) {
        const auto phase = static_cast<Phase>(shared_.phase.load());
        if (phase == Phase::quit) return;
        if (phase != Phase::idle)
            for (; next_new_ < devices_.size() && connecting_ < connecting_max; ++next_new_) start(next_new_);
        const Time now = Clock::now();
        while (!due_.empty() && due_.top().at <= now) {
            const Due due = due_.top();
            due_.pop();
            on_due(due);
        }
        const int count = ::epoll_wait(poll_, events.data(), static_cast<int>(events.size()), 5);
        for (int i = 0; i < count; ++i) {
            const auto& event = events[static_cast<std::size_t>(i)];
            on_event(event.data.u64, event.events);
        }
    }
}

}  // namespace

void run_clients(const Load& load, Shared& shared) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    Clients{load, shared}.run();
}

}  // namespace wattmesh::bench
