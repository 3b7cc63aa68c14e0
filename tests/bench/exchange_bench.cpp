#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

#include "headend/database/binary_rows.h"
#include "headend/database/outbox.h"
#include "headend/database/webhooks.h"
#include "headend/exchange/webhook_courier.h"
#include "tests/bench/exchange_rows.h"
#include "tests/db/fixture/postgres.h"

/// bench_exchange [--messages N] [--meters N]: the outbox to one webhook over its four keep-alive
/// connections, from sealed messages to stored deliveries, against a partner that reads requests and answers
/// 204 without a look at them. webhook_per_s: one CloudEvent a request; webhook_batched_per_s: lists of 100.
/// A day of N meters (10 000) as NDJSON and XML over REST and as CSV files; a row is a meter at an instant,
/// four channels. One JSON line on stdout.
namespace {

using namespace wattmesh;
using namespace wattmesh::headend;
using namespace wattmesh::headend::database;
using Timer = std::chrono::steady_clock;

/// The partner: a thread a connection.
class Partner {
public:
    Partner() : listener_(socket(AF_INET, SOCK_STREAM, 0)) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof address;
        if (bind(listener_, reinterpret_cast<const sockaddr*>(&address), size) != 0 ||
            listen(listener_, 16) != 0 ||
            getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) != 0)
            throw std::runtime_error("the partner cannot listen");
        port_ = ntohs(address.sin_port);
        acceptor_ = std::thread{[this] {
            for (int one = 0; (one = accept(listener_, nullptr, nullptr)) >= 0;)
                connections_.emplace_back([one] { serve(one); });
        }};
    }
    ~Partner() {
        shutdown(listener_, SHUT_RDWR);
        acceptor_.join();
        for (auto& connection : connections_) connection.join();
        close(listener_);
    }
    std::uint16_t port() const { return port_; }

private:
    static void serve(int connection) {
        const int yes = 1;
        setsockopt(connection, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
        constexpr std::string_view answer = "HTTP/1.1 204 No Content\r\nConnection: Keep-Alive\r\n\r\n";
        std::string in;
        std::vector<char> part(128 * 1024);
        for (ssize_t got = 0; (got = recv(connection, part.data(), part.size(), 0)) > 0;) {
            in.append(part.data(), static_cast<std::size_t>(got));
            for (;;) {
                const auto head = in.find("\r\n\r\n");
                const auto length = in.find("Content-Length: ");
                if (head == std::string::npos || length == std::string::npos) break;
                const auto whole = head + 4 + static_cast<std::size_t>(std::atol(in.c_str() + length + 16));
                if (in.size() < whole) break;
                in.erase(0, whole);
                if (send(connection, answer.data(), answer.size(), MSG_NOSIGNAL) < 0) break;
            }
        }
        close(connection);
    }

    int listener_;
    std::uint16_t port_ = 0;
    std::thread acceptor_;
    std::vector<std::thread> connections_;
};

/// Waits until so many messages are stored as delivered since the position, and says how far it is.
void wait_for(Connection& admin, std::int64_t position, int messages) {
    constexpr std::chrono::seconds say_every{5}, stuck_max{60};
    auto said = Timer::now(), moved = said;
    for (std::int64_t before = 0;;) {
        const auto now = Timer::now();
        const BinaryRows rows{admin,
                              "select count(*) from webhook_message where position > $1 and state = 0",
                              {position},
                              "counting deliveries"};
        const auto count = rows.integer(0, 0);
        if (count >= messages) return;
        if (count > before) moved = now;
        before = count;
        if (now - moved > stuck_max)
            throw std::runtime_error("nothing was delivered for a minute; " + std::to_string(count) + " of " +
                                     std::to_string(messages) + " messages were");
        if (now - said > say_every) {
            std::fprintf(stderr, "%lld of %d messages\n", static_cast<long long>(count), messages);
            said = now;
        }
        std::this_thread::sleep_for(std::chrono::milliseconds{20});
    }
}

double run(wattmesh::test::TestDatabase& database, const security::MasterKey& master, Random& random,
           int messages, int batch) {
    Connection admin{database.settings()};
    const platform::ScaledClock clock;
    Contract contract;
    contract.name = "bench";
    contract.topics = {"event"};
    contract.id = Contracts{admin}.put(contract, clock.now(), "bench");
    const Partner partner;
    Webhook webhook;
    webhook.contract = contract;
    webhook.name = "main";
    webhook.url = "http://127.0.0.1:" + std::to_string(partner.port()) + "/";
    webhook.topics = {"event"};
    webhook.batch = batch;
    webhook.secret = master.wrap(exchange::webhook_purpose("bench", "main"), Buffer(32, 7));
    Webhooks{admin}.put(webhook, clock.now());
    const auto before = Outbox{admin}.head();
    admin.execute(
        "select tell(1, 1, 'event', 'meter.power_lost', lpad((g % 5000)::text, 12, '0'), g % 5000, g, "
        "jsonb_build_object('concentrator', '900000000001', 'name', 'power_lost', 'code', '3.26.0.85', "
        "'received', '2026-03-10T12:00:00.000Z')) from generate_series(1, " +
            std::to_string(messages) + ") g",
        "messages");
    while (Outbox{admin}.seal(clock.now(), 100'000) > 0) {
    }
    exchange::WebhookCourierSettings settings;
    settings.database = database.settings("wm_exchange");
    settings.owner = "bench";
    settings.plain = true;
    exchange::WebhookCourier courier{
        settings, master, clock, random,
        [](std::string_view, const std::string& line) { std::fprintf(stderr, "%s\n", line.c_str()); }};
    const auto start = Timer::now();
    courier.start();
    wait_for(admin, before, messages);
    const auto seconds = std::chrono::duration<double>(Timer::now() - start).count();
    courier.stop();
    return messages / seconds;
}

}  // namespace

int main(int argc, char** argv) {
    for (int i = 1; i < argc; ++i)
        if (std::string_view{argv[i]} == "--help") {
            std::puts(
                "ops/bench exchange [--messages N] [--meters N]\n"
                "  webhooks: N messages (100000) one by one and in lists of 100; readings: a day of N meters "
                "(10000) as\n"
                "  NDJSON, XML and CSV files. One JSON line.");
            return 0;
        }
    int messages = 100'000, meters = 10'000;
    for (int i = 1; i + 1 < argc; ++i) {
        if (std::string_view{argv[i]} == "--messages") messages = std::max(1'000, std::atoi(argv[i + 1]));
        if (std::string_view{argv[i]} == "--meters") meters = std::max(100, std::atoi(argv[i + 1]));
    }
    try {
        wattmesh::test::TestDatabase database;
        const security::FileMasterKey master{Key256{}};
        security::SystemRandom random;
        const auto single = run(database, master, random, messages, 1);
        const auto batched = run(database, master, random, messages, 100);
        const wattmesh::test::TestDatabase day;
        const auto rows =
            bench::exchange_rows(day, meters, "/tmp/wattmesh-bench-files-" + std::to_string(getpid()));
        std::printf(R"({"messages":%d,"webhook_per_s":%.0f,"webhook_batched_per_s":%.0f,"rows":%lld,)"
                    R"("ndjson_rows_per_s":%.0f,"ndjson_memory_mib":%.1f,"xml_readings_per_s":%.0f,)"
                    R"("xml_memory_mib":%.1f,"csv_rows_per_s":%.0f})"
                    "\n",
                    messages, single, batched, static_cast<long long>(rows.rows), rows.ndjson_per_s,
                    rows.ndjson_memory_mib, rows.xml_readings_per_s, rows.xml_memory_mib, rows.csv_per_s);
        return 0;
    } catch (const std::exception& error) {
        std::fprintf(stderr, "bench_exchange: %s\n", error.what());
        return 1;
    }
}
