#include "tests/bench/exchange_rows.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <stdexcept>

#include "headend/database/billing_files.h"
#include "headend/database/partner_clients.h"
#include "headend/exchange/file_desk.h"
#include "headend/exchange/rest_server.h"
#include "platform/http_client.h"
#include "security/ciphers.h"
#include "security/password.h"

namespace wattmesh::bench {
namespace {

using namespace headend;
using namespace headend::database;
using Steady = std::chrono::steady_clock;

const std::chrono::sys_days day{std::chrono::year{2026} / 3 / 10};
const Instant after{day + std::chrono::hours{36}};

double seconds_since(Steady::time_point start) {
    return std::chrono::duration<double>(Steady::now() - start).count();
}

/// Resident memory at most since the last call of reset_peak, MiB (proc(5)).
double peak_mib() {
    std::ifstream status{"/proc/self/status"};
    for (std::string line; std::getline(status, line);)
        if (line.starts_with("VmHWM:")) return std::stod(line.substr(6)) / 1024;
    throw std::runtime_error("/proc/self/status has no VmHWM");
}
void reset_peak() { std::ofstream{"/proc/self/clear_refs"} << "5"; }

void fill(Connection& admin, int meters) {
    const auto number = std::to_string(day.time_since_epoch().count());
    admin.execute(
        "select make_interval_day(" + number + "::integer), make_interval_day(" + number + "::integer + 1)",
        "days");
    admin.execute(
        "insert into meter (tenant, area, number, model, role, installed_us) select 1, 1, 540000000000 + g, "
        "'WM-SIM-3', 0, 0 from generate_series(1, " +
            std::to_string(meters) + ") g",
        "meters");
    admin.execute(
        "insert into interval_row select m.id, (" + number +
            "::bigint * 86400 + i * 900) * 1000000, 1, 1, 0, 1, 1, 1, 0, 100 + m.id % 50 + i, 0, 10 + i, 3 "
            "from meter m, generate_series(1, 96) i order by m.id, i",
        "intervals");
    admin.execute("vacuum analyze", "statistics");
}

Contract put_contract(Connection& admin) {
    Contract contract;
    contract.name = "rows";
    contract.topics = {"event"};
    contract.allowed = {"readings"};
    contract.id = Contracts{admin}.put(contract, after, "bench");
    return contract;
}

struct AtNoon : platform::Clock {
    Instant now() const override { return after; }
    std::chrono::nanoseconds real(Duration simulated) const override { return simulated; }
};

std::string token_of(const platform::HttpUrl& url, const std::string& secret) {
    platform::HttpClient http{url, {}};
    const auto answer = http.post({}, "application/x-www-form-urlencoded",
                                  "grant_type=client_credentials&client_id=rows-1&client_secret=" + secret);
    const auto at = answer.body.find("wmp_");
    if (at == std::string::npos) throw std::runtime_error("no token: " + answer.body);
    return answer.body.substr(at, 68);
}

/// Counts elements `value`, also those that two pieces share.
struct Values {
    void take(std::string_view piece) {
        constexpr std::string_view tag = "<value>";
        std::string seam = rest + std::string{piece.substr(0, tag.size() - 1)};
        if (seam.find(tag) != std::string::npos) ++count;
        for (auto at = piece.find(tag); at != std::string_view::npos; at = piece.find(tag, at + 1)) ++count;
        rest = piece.substr(piece.size() - std::min(piece.size(), tag.size() - 1));
    }
    std::int64_t count = 0;
    std::string rest;
};

struct Fetched {
    double seconds = 0, memory_mib = 0;
};
/// The day, as the type that is accepted.
Fetched fetch(const platform::HttpUrl& url, const std::string& token, const char* accept,
              const std::function<void(std::string_view)>& take) {
    platform::HttpClient http{url, {.answer_max = std::chrono::minutes{10}, .ca_file = {}}};
    reset_peak();
    const auto before = peak_mib();
    const auto start = Steady::now();
    http.get("/partner/v1/readings?from=2026-03-10T00:00:00Z&to=2026-03-11T00:00:00Z",
             {{"Authorization", "Bearer " + token}, {"Accept", accept}}, take);
    return {seconds_since(start), peak_mib() - before};
}

void stream(const test::TestDatabase& database, Connection& admin, const Contract& contract,
            ExchangeRows& result) {
    security::SystemRandom random;
    PartnerClient client;
    client.contract = contract.id;
    client.name = "rows-1";
    client.secret_hash = security::hash_password("secret", random);
    client.created = after;
    client.created_by = "bench";
    PartnerClients{admin}.add(client);
    exchange::RestSettings settings;
    settings.database = database.settings("wm_exchange");
    const AtNoon clock;
    exchange::RestServer server{settings, clock, random, [](std::string_view, const std::string& line) {
                                    std::fprintf(stderr, "%s\n", line.c_str());
                                }};
    server.start();
    const auto url = platform::HttpUrl::parse("http://127.0.0.1:" + std::to_string(server.port()) +
                                              "/partner/oauth/token");
    const auto token = token_of(*url, "secret");
    std::int64_t lines = 0;
    const auto ndjson = fetch(*url, token, "application/x-ndjson", [&](std::string_view piece) {
        lines += std::count(piece.begin(), piece.end(), '\n');
    });
    result.ndjson_per_s = static_cast<double>(result.rows) / ndjson.seconds;
    result.ndjson_memory_mib = ndjson.memory_mib;
    if (lines != result.rows + 1) throw std::runtime_error(std::to_string(lines) + " lines came over REST");
    Values values;
    const auto xml =
        fetch(*url, token, "application/xml", [&](std::string_view piece) { values.take(piece); });
    result.xml_readings_per_s = static_cast<double>(values.count) / xml.seconds;
    result.xml_memory_mib = xml.memory_mib;
    if (values.count != result.rows * 4)
        throw std::runtime_error(std::to_string(values.count) + " readings came as XML");
}

void write_files(Connection& admin, const Contract& contract, const std::string& folder,
                 ExchangeRows& result) {
    FileChannel channel;
    channel.contract = contract;
    channel.name = "bench";
    channel.directory = folder;
    channel.zone = "UTC";
    channel.first_day = day;
    BillingFiles files{admin};
    files.put(channel);
    int lines = 0;
    exchange::FileDesk desk{[](std::string_view, const std::string&) {}};
    const auto start = Steady::now();
    desk.round(admin, after);
    result.csv_per_s = static_cast<double>(result.rows) / seconds_since(start);
    for (const auto& file : files.sent(files.all().at(0), 1'000)) lines += file.lines;
    if (lines != result.rows / 96 * 4) throw std::runtime_error(std::to_string(lines) + " lines in files");
}

}  // namespace

ExchangeRows exchange_rows(const test::TestDatabase& database, int meters, const std::string& folder) {
    Connection admin{[&] {
        auto settings = database.settings();
        settings.statement_timeout_ms = 0;
        return settings;
    }()};
    ExchangeRows result;
    result.rows = std::int64_t{meters} * 96;
    std::fprintf(stderr, "a day of %d meters\n", meters);
    fill(admin, meters);
    const auto contract = put_contract(admin);
    stream(database, admin, contract, result);
    std::filesystem::create_directories(folder);
    write_files(admin, contract, folder, result);
    std::filesystem::remove_all(folder);
    return result;
}

}  // namespace wattmesh::bench
