#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <thread>
#include <vector>

#include "headend/exchange/scada_listener.h"
#include "platform/steady.h"
#include "protocol/iec104/master.h"

/// bench_scada: IEC 60870-5-104 over TCP on the loopback, k = 12, w = 8, between the head-end's own listener
/// on one thread and a master on another, which decodes every object and checks it. gi_10k_ms and gi_100k_ms:
/// general interrogation of so many floats, from the request to its termination, median; spontaneous_per_s:
/// reports of floats with time, from the first change of a point to the last report's arrival, median. One
/// JSON line on stdout.
namespace {

using namespace wattmesh;
using namespace wattmesh::iec104;
using headend::exchange::ScadaListener;
using headend::exchange::ScadaListenerSettings;

constexpr std::uint16_t station = 1;
constexpr std::uint32_t first_address = 200'001;
constexpr int changes = 20;

void require(bool what, const char* why) {
    if (what) return;
    std::fprintf(stderr, "bench_scada: %s\n", why);
    std::exit(1);
}

ScadaListenerSettings settings_of() {
    headend::exchange::ScadaGroupSettings group;
    group.name = "bench";
    group.outstation.events_max = 10'000'000;
    ScadaListenerSettings settings;
    settings.port = 0;
    settings.groups = {group};
    return settings;
}

std::vector<PointDefinition> table(std::uint32_t points) {
    std::vector<PointDefinition> definitions;
    definitions.reserve(points);
    for (std::uint32_t i = 0; i < points; ++i)
        definitions.push_back({{station, first_address + i}, Type::short_float});
    return definitions;
}

/// The head-end's side, on its thread.
class Server {
public:
    explicit Server(std::uint32_t points)
        : points_(points),
          loop_(std::make_shared<platform::ScaledClock>()),
          outstation_({}, table(points)),
          listener_(loop_, settings_of(), nullptr, outstation_, {[](const Command&, const std::string&) {}}) {
        set_all(0);
        listener_.start();
        thread_ = std::thread{[this] { loop_.run(); }};
    }
    ~Server() {
        loop_.post([this] {
            listener_.stop();
            loop_.stop();
        });
        thread_.join();
    }
    std::uint16_t port() const { return listener_.port(); }
    /// Every point `changes` times.
    void change() {
        loop_.post([this] {
            for (int round = 1; round <= changes; ++round) set_all(round);
            listener_.pump();
        });
    }

private:
    void set_all(int round) {
        const Time56 time{loop_.now(), false, false, false};
        const auto now = platform::steady_now();
        for (std::uint32_t i = 0; i < points_; ++i)
            outstation_.set(i, {Float{static_cast<float>(i) + static_cast<float>(round) / 32}, {}, time},
                            now);
    }
    std::uint32_t points_;
    platform::Loop loop_;
    Outstation outstation_;
    ScadaListener listener_;
    std::thread thread_;
};

/// The control room's side: a blocking socket.
class Client {
public:
    explicit Client(std::uint16_t port) : socket_(socket(AF_INET, SOCK_STREAM, 0)), master_({}, 3, now()) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(port);
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        const int yes = 1;
        setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
        require(connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0,
                "cannot connect");
        master_.link().start(now());
        flush();
        while (!master_.link().started()) receive();
    }
    ~Client() { close(socket_); }
    Client(const Client&) = delete;
    Client& operator=(const Client&) = delete;

    Master& master() { return master_; }
    static Instant now() { return platform::steady_now(); }
    void flush() {
        const auto octets = master_.link().take();
        for (std::size_t at = 0; at < octets.size();) {
            const auto sent = write(socket_, octets.data() + at, octets.size() - at);
            require(sent > 0, "cannot write");
            at += static_cast<std::size_t>(sent);
        }
    }
    std::vector<Asdu> receive() {
        std::uint8_t octets[65'536];
        const auto size = read(socket_, octets, sizeof octets);
        require(size > 0, "the outstation hung up");
        master_.feed({octets, static_cast<std::size_t>(size)}, now());
        require(!master_.link().fault() && master_.malformed() == 0, "the outstation broke the protocol");
        flush();
        return master_.take_received();
    }

private:
    int socket_;
    Master master_;
};

double ms_since(Instant begun) { return static_cast<double>((Client::now() - begun).count()) / 1'000; }

double interrogate(Client& client, std::uint32_t points, int round) {
    const auto begun = Client::now();
    const auto request = client.master().interrogate(station, whole_station, begun);
    client.flush();
    std::uint32_t seen = 0;
    for (bool over = false; !over;) {
        for (const auto& asdu : client.receive()) {
            over = over || reply_to(request, asdu) == Reply::terminated;
            if (asdu.header.cause != Cause::station_interrogation) continue;
            for (const auto& object : asdu.objects) {
                require(object.address == first_address + seen, "points out of order");
                const auto wanted = static_cast<float>(seen) + static_cast<float>(round) / 32;
                require(std::get<Float>(object.value).value == wanted, "a wrong value");
                ++seen;
            }
        }
    }
    const auto spent = ms_since(begun);
    require(seen == points, "points are missing");
    return spent;
}

double reports_per_second(Client& client, Server& server, std::uint32_t points) {
    const auto begun = Client::now();
    server.change();
    std::uint32_t seen = 0;
    while (seen < points * changes)
        for (const auto& asdu : client.receive())
            for (const auto& object : asdu.objects) {
                require(object.address == first_address + seen % points, "reports out of order");
                ++seen;
            }
    return seen * 1'000.0 / ms_since(begun);
}

double median_of(int times, const std::function<double()>& measure) {
    std::vector<double> figures;
    figures.reserve(static_cast<std::size_t>(times));
    for (int i = 0; i < times; ++i) figures.push_back(measure());
    const auto middle = figures.begin() + times / 2;
    std::nth_element(figures.begin(), middle, figures.end());
    return *middle;
}

double interrogation_ms(std::uint32_t points, int times) {
    Server server{points};
    Client client{server.port()};
    return median_of(times, [&] { return interrogate(client, points, 0); });
}

}  // namespace

int main() {
    const double small = interrogation_ms(10'000, 21), large = interrogation_ms(100'000, 9);
    constexpr std::uint32_t points = 10'000;
    Server server{points};
    Client client{server.port()};
    interrogate(client, points, 0);
    const double reports = median_of(5, [&] { return reports_per_second(client, server, points); });
    interrogate(client, points, changes);
    std::fprintf(stderr,
                 "general interrogation: 10 000 floats in %.1f ms, 100 000 in %.1f ms; %.0f reports/s\n",
                 small, large, reports);
    std::printf("{\"bench\":\"scada\",\"gi_10k_ms\":%.2f,\"gi_100k_ms\":%.2f,\"spontaneous_per_s\":%.0f}\n",
                small, large, reports);
    return 0;
}
