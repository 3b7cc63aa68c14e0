#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <mutex>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "headend/database/aggregates.h"
#include "headend/database/concentrators.h"
#include "headend/database/ingest_writer.h"
#include "headend/database/read_completeness.h"
#include "headend/database/read_meters.h"
#include "headend/database/read_reports.h"
#include "headend/database/read_search.h"
#include "headend/database/scope.h"
#include "tests/db/fixture/postgres.h"

/// bench_query [--readings N] [--seconds S] [--clients N] [--pause-ms N]: what a control room asks, through
/// the repositories and the limited views that the console uses. See usage below. One JSON line on stdout.
namespace {

using namespace wattmesh;
using namespace wattmesh::headend::database;
using Steady = std::chrono::steady_clock;

constexpr const char* usage =
    "usage: bench_query [--readings N] [--seconds S] [--clients N] [--pause-ms N]\n"
    "  --readings N   interval readings stored in arrival order over 30 days, 4 channels (10000000; also "
    "100000000)\n"
    "  --seconds S    of each kind of question (10)\n"
    "  --clients N    who ask at once, each on a connection of its own (16)\n"
    "  --pause-ms N   a client thinks on average between two questions (500)\n"
    "A million meters of 500 concentrators and a million customers are registered; as many as the readings "
    "need are read by 10 of "
    "them.\n"
    "Daily energies of 10 000 meters and completeness of 31 days are stored for what was not read, too.\n";

struct Options {
    long long readings = 10'000'000;
    int seconds = 10, clients = 16, pause_ms = 500;
};
constexpr int meters = 1'000'000, concentrators = 500, reading_concentrators = 10, days = 30, channels = 4,
              slots = 6, energy_meters = 10'000, board_days = 31;
const std::chrono::sys_days first_day{std::chrono::year{2026} / 3 / 1};
const Instant start{first_day}, end{first_day + std::chrono::days{days}};

/// Numbers as utilities give them: a prefix of the make, then scattered.
long long number_of_meter(long long i) { return 540'000'000'000LL + i * 7'919 % 100'000'000; }
DeviceNumber device(long long number) { return *DeviceNumber::parse(std::to_string(number)); }

void execute(Connection& admin, const std::string& statement) {
    admin.execute("set statement_timeout = 0; set search_path = wattmesh; " + statement, "loading");
}

void register_town(Connection& admin, int meters_read) {
    execute(admin,
            "insert into concentrator (tenant, area, number, name, state, link, registered_us) select 1, 1, "
            "900000000000 + i, 'Station ' || i, 1, 1, 0 from generate_series(1, 500) i");
    execute(admin, "drop index meter_digits");
    execute(
        admin,
        "insert into meter (tenant, area, number, model, role, concentrator, installed_us) select 1, 1, "
        "540000000000 + i::bigint * 7919 % 100000000, 'WM-SIM-3', 0, c.low + case when i < " +
            std::to_string(meters_read) +
            " then i % 10 else 10 + i % 490 end, 0 from generate_series(0, 999999) i, (select min(id) as low "
            "from concentrator) c");
    execute(admin,
            "create index meter_digits on meter using gin (lpad(number::text, 12, '0') public.gin_trgm_ops)");
    execute(admin, "analyze");
}

/// Two words of syllables each, as names are: pairs of letters are neither all alike nor all rare.
constexpr const char* customer_name =
    "initcap((array['an','ra','shi','ko','me','li','wei','fa','jo','du'])[1 + i % 10] || "
    "(array['na','vi','ka','ri','mo','shu','ben','te','lo','gar'])[1 + i / 10 % 10]) || ' ' || "
    "initcap((array['sha','pa','zhu','gu','wan','mi','ke','ol','bro','hu'])[1 + i / 100 % 10] || "
    "(array['rma','tel','ng','pta','do','ller','nnedy','sen','wn','ghes'])[1 + i / 1000 % 10])";
void register_customers(Connection& admin) {
    execute(admin, "drop index customer_words");
    execute(admin, "insert into customer (tenant, area, number, name, address) select 1, 1, 'C' || i, " +
                       std::string{customer_name} +
                       ", i % 300 || ' Road ' || i % 977 from generate_series(0, 999999) i");
    execute(admin,
            "create index customer_words on customer using gin (letter_pairs(number || E'\\n' || name || "
            "E'\\n' || address || E'\\n' || phone))");
    execute(admin, "analyze customer");
}

/// Time-major, as it arrives: each concentrator's meters, an hour and a half at a time.
void load_readings(const test::TestDatabase& database, int meters_read) {
    Connection connection{database.settings("wm_frontend")};
    IngestWriter writer;
    std::vector<OwnerEpoch> epochs;
    epochs.reserve(reading_concentrators);
    for (int c = 0; c < reading_concentrators; ++c)
        epochs.push_back(Concentrators{connection}.open_session(device(900'000'000'001 + c), start)->epoch);
    std::vector<Sequence> sequences(reading_concentrators, Sequence{0});
    for (int slot = 0; slot < days * 96; slot += slots)
        for (int c = 0; c < reading_concentrators; ++c) {
            headend::frontend::Batch batch;
            batch.concentrator = device(900'000'000'001 + c);
            batch.journal = JournalId{{static_cast<std::uint8_t>(c + 1)}};
            batch.epoch = epochs[static_cast<std::size_t>(c)];
            auto& sequence = sequences[static_cast<std::size_t>(c)];
            batch.from = sequence;
            batch.received = start + std::chrono::minutes{15} * (slot + slots) + std::chrono::minutes{5};
            for (int m = c; m < meters_read; m += reading_concentrators) {
                headend::frontend::StoredMeterRows rows{
                    device(number_of_meter(m)), obis::load_profile, {}, Sequence{++sequence.value}, false};
                for (int i = 0; i < slots; ++i) {
                    dcu::IntervalRow row{.at = start + std::chrono::minutes{15} * (slot + i + 1),
                                         .status = 0,
                                         .channels = channels,
                                         .values = {}};
                    for (std::size_t channel = 0; channel < channels; ++channel)
                        row.values[channel] = (m * 7 + (slot + i) * 13) % 500 + static_cast<int>(channel);
                    rows.rows.push_back(row);
                }
                batch.intervals.push_back(std::move(rows));
            }
            batch.to = sequence;
            writer.store(connection, batch);
        }
}

/// What there is of meters that this run does not read.
void fill_days(Connection& admin, int meters_read) {
    const auto first = std::to_string(first_day.time_since_epoch().count());
    if (meters_read < energy_meters)
        execute(
            admin,
            "insert into aggregate_day select m.id, 1, a.from_us, 1, 1, 96, 0, 9000, 0, 100, 0 from (select "
            "distinct from_us from aggregate_day) a, (select id from meter m where not exists (select from "
            "aggregate_day d where d.meter = m.id) order by id limit " +
                std::to_string(energy_meters - meters_read) + ") m order by a.from_us, m.id");
    execute(admin,
            "insert into completeness_cell select c.id, 1, d, 1, 'WM-SIM-3', 1, 0, 2000, 1980, 192000, "
            "191000, 190500, 190000, 190800, 191000, array[0, 100, 600, 0, 0, 0, 0, 300, 0] from "
            "generate_series(" +
                first + ", " + first + " + 30) d, concentrator c on conflict do nothing");
    execute(admin, "vacuum analyze");
}

struct Times {
    std::vector<double> ms;
    double at(double share) const {
        return ms.empty() ? 0
                          : ms[std::min(ms.size() - 1,
                                        static_cast<std::size_t>(share * static_cast<double>(ms.size())))];
    }
};
/// One question; returns how much it answered, 0 is a mistake of the benchmark.
using Ask = std::function<std::size_t(Connection&, std::mt19937&)>;

Times measure(const test::TestDatabase& database, const Options& options, int pause_ms, const Ask& ask) {
    std::mutex mutex;
    Times times;
    std::atomic<int> empty = 0;
    std::vector<std::thread> clients;
    const auto until = Steady::now() + std::chrono::seconds{options.seconds};
    for (int client = 0; client < options.clients; ++client)
        clients.emplace_back([&, client] {
            Connection connection{database.settings("wm_console")};
            limit(connection, Scope::of(TenantId{1}));
            std::mt19937 random{static_cast<unsigned>(client + 1)};
            ask(connection, random);  // warm
            std::vector<double> mine;
            while (Steady::now() < until) {
                if (pause_ms > 0)
                    std::this_thread::sleep_for(
                        std::chrono::milliseconds{random() % (2U * static_cast<unsigned>(pause_ms))});
                const auto from = Steady::now();
                if (ask(connection, random) == 0) ++empty;
                mine.push_back(std::chrono::duration<double, std::milli>(Steady::now() - from).count());
            }
            const std::lock_guard lock{mutex};
            times.ms.insert(times.ms.end(), mine.begin(), mine.end());
        });
    for (auto& client : clients) client.join();
    if (empty > 0) {
        std::fprintf(stderr, "bench_query: %d questions had no answer\n", empty.load());
        std::exit(1);
    }
    std::sort(times.ms.begin(), times.ms.end());
    return times;
}

int number_after(int argc, char** argv, const std::string& name, int otherwise) {
    for (int i = 1; i + 1 < argc; ++i)
        if (argv[i] == name) return std::atoi(argv[i + 1]);
    return otherwise;
}

struct Question {
    const char* name;
    double share, goal_ms;
    Ask ask;
    int pause_factor = 1;  ///< a board is looked at less often than a curve
};

std::vector<Question> questions(int meters_read) {
    const auto number = [](std::mt19937& random) { return number_of_meter(random() % meters); };
    const auto search = [](Connection& connection, const std::string& text) {
        return MeterReader{connection}.page(text, std::nullopt, 50, end).meters.size();
    };
    return {
        {"curve_30_days_4_channels", 0.99, 10,
         [meters_read](Connection& connection, std::mt19937& random) -> std::size_t {
             const auto meter = static_cast<long long>(random() % static_cast<unsigned>(meters_read));
             MeterReader reader{connection};
             const auto found =
                 reader.curves(MeterId{meter + 1}, obis::load_profile, {1, 2, 3, 4}, start, end);
             return found.size() == 4 && found[3].at.size() == days * 96 ? 1 : 0;
         }},
        {"daily_energy_10000_meters", 0.5, 60,
         [](Connection& connection, std::mt19937& random) -> std::size_t {
             std::size_t lines = 0;
             const auto day = first_day + std::chrono::days{1 + random() % (days - 2)};
             ReportReader{connection}.energy_days(obis::load_profile, day, day,
                                                  [&](const EnergyDay&) { ++lines; });
             return lines >= energy_meters ? lines : 0;
         },
         8},
        {"board_500_concentrators_31_days", 0.5, 50,
         [](Connection& connection, std::mt19937&) -> std::size_t {
             const auto cells = CompletenessReader{connection}.board(
                 obis::load_profile, first_day, first_day + std::chrono::days{board_days - 1});
             return cells.size() == concentrators * board_days ? 1 : 0;
         },
         8},
        {"search_number", 0.99, 50,
         [=](Connection& connection, std::mt19937& random) {
             return search(connection, std::to_string(number(random)));
         }},
        {"search_last_5_digits", 0.99, 50,
         [=](Connection& connection, std::mt19937& random) {
             return search(connection, std::to_string(number(random)).substr(7));
         }},
        {"search_first_7_digits", 0.99, 50,
         [=](Connection& connection, std::mt19937& random) {
             return search(connection, std::to_string(number(random)).substr(0, 7));
         }},
        {"search_2_letters_of_a_name", 0.99, 50,
         [](Connection& connection, std::mt19937& random) {
             constexpr const char* pairs[] = {"an", "vi", "ei", "zh", "rm", "ob", "gh", "wn", "ga", "ls"};
             return SearchReader{connection}.find(pairs[random() % std::size(pairs)], 6).size();
         }},
        {"search_whole_name", 0.99, 50,
         [](Connection& connection, std::mt19937& random) {
             constexpr const char* names[] = {"anna sharma", "ravi patel", "zhung shika", "guwn li"};
             return SearchReader{connection}.find(names[random() % std::size(names)], 6).size();
         }},
    };
}

}  // namespace

int main(int argc, char** argv) {
    Options options;
    options.readings = number_after(argc, argv, "--readings", static_cast<int>(options.readings));
    options.seconds = number_after(argc, argv, "--seconds", options.seconds);
    options.clients = number_after(argc, argv, "--clients", options.clients);
    options.pause_ms = number_after(argc, argv, "--pause-ms", options.pause_ms);
    const int meters_read = static_cast<int>(options.readings / (days * 96 * channels));
    if (meters_read < reading_concentrators || meters_read > 20'000 || options.seconds < 1 ||
        options.clients < 1 || options.pause_ms < 0 || argc % 2 == 0) {
        std::fputs(usage, stderr);
        return 2;
    }
    const test::TestDatabase database;
    Connection admin{database.settings()};
    const auto begin = Steady::now();
    const auto told = [&](const char* what) {
        std::fprintf(stderr, "%6.1f s  %s\n", std::chrono::duration<double>(Steady::now() - begin).count(),
                     what);
    };
    register_town(admin, meters_read);
    register_customers(admin);
    told("a million meters and customers registered");
    load_readings(database, meters_read);
    told("readings stored");
    Connection monitor{database.settings("wm_monitor")};
    while (Aggregates{monitor}.work(100, end + std::chrono::days{1}) > 0) {
    }
    told("aggregated");
    fill_days(admin, meters_read);
    told("completed");
    std::string line = "{\"bench\":\"query\",\"readings\":" +
                       std::to_string(static_cast<long long>(meters_read) * days * 96 * channels) +
                       ",\"meters\":1000000,\"clients\":" + std::to_string(options.clients) +
                       ",\"pause_ms\":" + std::to_string(options.pause_ms);
    bool met = true;
    for (const auto& question : questions(meters_read)) {
        const auto paced = measure(database, options, options.pause_ms * question.pause_factor, question.ask);
        auto alone_options = options;
        alone_options.clients = 1;
        const auto alone = measure(database, alone_options, 0, question.ask);
        met = met && paced.at(question.share) <= question.goal_ms;
        char text[400];
        std::snprintf(text, sizeof text,
                      ",\"%s\":{\"p50_ms\":%.1f,\"p99_ms\":%.1f,\"asked\":%zu,\"alone_p50_ms\":%.1f,\"goal_p%"
                      ".0f_ms\":%.0f}",
                      question.name, paced.at(0.5), paced.at(0.99), paced.ms.size(), alone.at(0.5),
                      question.share * 100, question.goal_ms);
        line += text;
        told(text + 1);
    }
    std::printf("%s,\"met\":%s}\n", line.c_str(), met ? "true" : "false");
    return 0;
}
