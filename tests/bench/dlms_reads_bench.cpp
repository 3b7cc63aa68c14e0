// ops/bench dlms-reads: sequential register reads over one loopback TCP connection against the simulated
// meter, client and meter pinned to one core. One JSON line: plain_per_s, ciphered_per_s, raw_pingpong_per_s
// (bare blocking sockets, the same octet counts as the plain read, same run), each the median of rounds that
// alternate.
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <stdexcept>

#include "platform/log.h"
#include "protocol/dlms/apdu.h"
#include "terminal-sim/meter/access.h"
#include "terminal-sim/meter/bench_port.h"
#include "terminal-sim/meter/meter.h"
#include "terminal-sim/tool/meter_session.h"

using namespace wattmesh;
using namespace wattmesh::sim;
using Clock = std::chrono::steady_clock;

namespace {

constexpr int rounds = 5;
constexpr std::chrono::milliseconds round_time{700};

Key128 key(std::uint8_t octet) {
    std::array<std::uint8_t, 16> octets;
    octets.fill(octet);
    return Key128{octets};
}

void pin_to_one_core() {
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(0, &set);
    if (sched_setaffinity(0, sizeof set, &set) != 0) throw std::runtime_error("cannot pin to one core");
}

[[noreturn]] void serve_meter(int tell) {
    const auto number = *DeviceNumber::parse("540000000001");
    const auto clock = std::make_shared<platform::ScaledClock>();
    CustomerLoad load{1, number, LoadKind::household, false};
    CounterFile counters{2};
    MeterSettings made{.number = number, .seed = 1, .installed_at = clock->now() - std::chrono::hours{2}};
    made.accepted_counter = [&](Sap) { return counters.accepted(management_slot(0)); };
    Meter meter{made, load, &load.supply(), nullptr};
    AccessKeys keys;
    keys.management = dlms::ClientKeys{key(1), key(2)};
    keys.lls_password = to_buffer(as_bytes("reading1"));
    security::OpensslCiphers ciphers;
    security::SystemRandom random;
    platform::Loop loop{clock};
    const BenchPort bench{loop, "127.0.0.1", 0, LinkKind::wrapper, [&] {
                              return std::make_unique<dlms::Server>(system_title(number),
                                                                    bench_access(keys, counters, 0), meter,
                                                                    ciphers, random);
                          }};
    const std::uint16_t port = bench.port();
    if (write(tell, &port, sizeof port) != sizeof port) _exit(1);
    loop.run();
    _exit(0);
}

[[noreturn]] void serve_raw(int tell, std::size_t request_size, std::size_t answer_size) {
    const int listener = socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    auto* any = reinterpret_cast<sockaddr*>(&address);
    socklen_t size = sizeof address;
    if (bind(listener, any, size) != 0 || listen(listener, 1) != 0 || getsockname(listener, any, &size) != 0)
        _exit(1);
    const std::uint16_t port = ntohs(address.sin_port);
    if (write(tell, &port, sizeof port) != sizeof port) _exit(1);
    const int peer = accept(listener, nullptr, nullptr);
    const int on = 1;
    setsockopt(peer, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    Buffer request(request_size), answer(answer_size);
    while (recv(peer, request.data(), request.size(), MSG_WAITALL) == static_cast<ssize_t>(request.size()))
        if (send(peer, answer.data(), answer.size(), MSG_NOSIGNAL) < 0) break;
    _exit(0);
}

/// A child process and the port it says it listens on. Stopped by its pid.
class Server {
public:
    explicit Server(const std::function<void(int)>& serve) {
        int tell[2];
        if (pipe(tell) != 0) throw std::runtime_error("no pipe");
        child_ = fork();
        if (child_ < 0) throw std::runtime_error("cannot fork");
        if (child_ == 0) {
            close(tell[0]);
            serve(tell[1]);
            _exit(1);
        }
        close(tell[1]);
        if (read(tell[0], &port_, sizeof port_) != sizeof port_)
            throw std::runtime_error("the server did not start");
        close(tell[0]);
    }
    Server(const Server&) = delete;
    Server& operator=(const Server&) = delete;
    ~Server() {
        kill(child_, SIGKILL);
        waitpid(child_, nullptr, 0);
    }
    std::uint16_t port() const { return port_; }

private:
    pid_t child_ = -1;
    std::uint16_t port_ = 0;
};

class RawPing {
public:
    RawPing(std::uint16_t port, std::size_t request_size, std::size_t answer_size)
        : socket_(socket(AF_INET, SOCK_STREAM, 0)), request_(request_size), answer_(answer_size) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(port);
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        if (connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0)
            throw std::runtime_error("raw server: cannot connect");
        const int on = 1;
        setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    }
    RawPing(const RawPing&) = delete;
    RawPing& operator=(const RawPing&) = delete;
    ~RawPing() { close(socket_); }
    void ping() {
        if (send(socket_, request_.data(), request_.size(), MSG_NOSIGNAL) < 0 ||
            recv(socket_, answer_.data(), answer_.size(), MSG_WAITALL) !=
                static_cast<ssize_t>(answer_.size()))
            throw std::runtime_error("raw server: gone");
    }

private:
    int socket_;
    Buffer request_, answer_;
};

double per_second(const std::function<void()>& once) {
    const auto start = Clock::now();
    std::uint64_t count = 0;
    while (Clock::now() - start < round_time) {
        for (int i = 0; i < 64; ++i) once();
        count += 64;
    }
    return static_cast<double>(count) / std::chrono::duration<double>(Clock::now() - start).count();
}

double median(std::vector<double> values) {
    std::nth_element(values.begin(), values.begin() + values.size() / 2, values.end());
    return values[values.size() / 2];
}

void read_register(MeterSession& session) {
    const auto outcome = session.get({3, obis::active_import_total, 2});
    const auto* value = std::get_if<dlms::Data>(&outcome);
    if (value == nullptr || !value->integer()) throw std::runtime_error("the register could not be read");
}

int run() {
    constexpr std::size_t wrapper_size = 8;
    const std::size_t request_size =
        wrapper_size +
        dlms::encode(dlms::GetRequest{.invoke = 0xC1, .id = {3, obis::active_import_total, 2}}).size();
    const std::size_t answer_size =
        wrapper_size + dlms::encode(dlms::GetResponse{0xC1, dlms::Data{std::uint32_t{1}}}).size();
    pin_to_one_core();
    platform::start_log("error");
    const Server raw{[&](int tell) { serve_raw(tell, request_size, answer_size); }};
    const Server meter{serve_meter};
    RawPing ping{raw.port(), request_size, answer_size};
    const auto call = [&] {
        return std::make_unique<BenchCall>(platform::HostPort{"127.0.0.1", meter.port()}, LinkKind::wrapper,
                                           management_logical_device, std::chrono::seconds{5});
    };
    const auto plain_call = call(), ciphered_call = call();
    MeterSession::Who reader, manager;
    reader.client = reading_client;
    reader.password = to_buffer(as_bytes("reading1"));
    manager.client = management_client;
    manager.keys = dlms::ClientKeys{key(1), key(2)};
    MeterSession plain{*plain_call, reader}, ciphered{*ciphered_call, manager};

    std::vector<double> raws, plains, ciphereds;
    for (int round = 0; round < rounds; ++round) {
        raws.push_back(per_second([&] { ping.ping(); }));
        plains.push_back(per_second([&] { read_register(plain); }));
        ciphereds.push_back(per_second([&] { read_register(ciphered); }));
        std::fprintf(stderr, "round %d: raw %.0f plain %.0f ciphered %.0f per s\n", round + 1, raws.back(),
                     plains.back(), ciphereds.back());
    }
    const double raw_rate = median(raws), plain_rate = median(plains), ciphered_rate = median(ciphereds);
    std::printf(
        "{\"bench\":\"dlms-reads\",\"plain_per_s\":%.0f,\"ciphered_per_s\":%.0f,\"raw_pingpong_per_s\":%.0f,"
        "\"plain_of_raw\":%.3f,\"ciphered_of_raw\":%.3f}\n",
        plain_rate, ciphered_rate, raw_rate, plain_rate / raw_rate, ciphered_rate / raw_rate);
    return 0;
}

}  // namespace

int main() {
    try {
        return run();
    } catch (const std::exception& trouble) {
        std::fprintf(stderr, "dlms-reads: %s\n", trouble.what());
        return 1;
    }
}
