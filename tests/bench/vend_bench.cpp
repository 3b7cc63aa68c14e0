#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <mutex>
#include <thread>
#include <vector>

#include "headend/database/customers.h"
#include "headend/vending/books_file.h"
#include "headend/vending/seller.h"
#include "headend/vending/upkeep.h"
#include "security/software_module.h"
#include "tests/db/fixture/postgres.h"

/// bench_vend [--seconds N] [--meters N] [--terminals N] [--one-vendor]: full sales per second by tills that
/// sell at the same time (synchronous commit, fsync on, module's log flushed, journal sealed meanwhile), and
/// in the same run what pgbench reaches that writes the same rows in the same two commits. Before that, a
/// second of sales and an ANALYZE, as a database gets them in its first minute. The first and the last tenth
/// of the time tell whether sales become fewer or slower, or the process greater. There are as many meters as
/// the time needs (identifiers of one run ahead of the clock by an hour at most). One JSON line on stdout.
namespace {

using namespace wattmesh;
using namespace wattmesh::headend::database;
using namespace wattmesh::headend::vending;
using wattmesh::test::TestDatabase;
namespace prices = wattmesh::headend::vending::pricing;
using Timer = std::chrono::steady_clock;

struct Options {
    int seconds = 10, meters = 0, terminals = 16;
    bool one_vendor = false;
};
constexpr int meters_least = 4'000, meters_per_second = 20, bound_seconds_max = 60;

Options options_from(int argc, char** argv) {
    Options options;
    for (int i = 1; i < argc; ++i) {
        const std::string word = argv[i];
        const auto number = [&] { return i + 1 < argc ? std::atoi(argv[++i]) : 0; };
        if (word == "--seconds") options.seconds = std::max(1, number());
        if (word == "--meters") options.meters = std::clamp(number(), 1, 1'000'000);
        if (word == "--terminals") options.terminals = std::clamp(number(), 1, 64);
        if (word == "--one-vendor") options.one_vendor = true;
    }
    if (options.meters == 0) options.meters = std::max(meters_least, options.seconds * meters_per_second);
    return options;
}

sts::MeterPan pan(int meter) {
    const auto digits = std::to_string(10'000'000'000 + meter).substr(1);
    return std::get<sts::MeterPan>(sts::MeterPan::parse(digits + sts::check_digit(digits)));
}

std::string vendor(const Options& options, int terminal) {
    return "V" + std::to_string(options.one_vendor ? 0 : terminal);
}

void furnish(Connection& admin, const Options& options, Instant now) {
    Transaction transaction{admin};
    Tariffs tariffs{admin};
    prices::Tariff tariff{
        .id = {}, .name = "Home", .steps = {}, .levies = {}, .taxes = {}, .charge_per_month = {}};
    tariff.steps = {{prices::Tenths{500}, {200'000}}, {std::nullopt, {350'000}}};
    tariff.levies = {{"fund", {5'000}, {}}};
    tariff.taxes = {{"VAT", {150'000}}};
    const auto id = tariffs.put(TenantId{1}, "home");
    tariffs.add_version(id, Instant{}, tariff);
    Vendors vendors{admin};
    for (int i = 0; i < options.terminals; ++i) {
        const auto name = vendor(options, i);
        const auto seller = vendors.put(TenantId{1}, name, {}, {{}, {10'000}}, false);
        vendors.put_terminal(seller, "T" + std::to_string(i), false);
        if (i == 0 || !options.one_vendor)
            deposit(admin, name, {prices::money_max, "start", "bench", "bench", now});
    }
    Customers customers{admin};
    for (int i = 0; i < options.meters; ++i) {
        const auto account = customers.put({.number = "A" + std::to_string(i),
                                            .name = "Customer",
                                            .address = "Road",
                                            .tariff = id,
                                            .free_units = {},
                                            .opened = {2026 * 12}});
        customers.put_meter({.id = {}, .pan = pan(i), .supply_group = {201457}}, account);
    }
    transaction.commit();
}

/// How long things took, in steps of two per cent: of the same size whatever was counted.
class Times {
public:
    void add(double ms) {
        const auto step = std::log(std::max(ms, least_ms) / least_ms) / std::log(ratio);
        ++counts_[std::min(static_cast<std::size_t>(step), counts_.size() - 1)];
        ++size_;
    }
    void add(const Times& other) {
        for (std::size_t i = 0; i < counts_.size(); ++i) counts_[i] += other.counts_[i];
        size_ += other.size_;
    }
    std::size_t size() const { return size_; }
    /// Below it is this share of what was counted.
    double at_share(double share) const {
        auto left = static_cast<std::size_t>(share * static_cast<double>(size_));
        for (std::size_t i = 0; i < counts_.size(); ++i) {
            if (counts_[i] > left) return least_ms * std::pow(ratio, static_cast<double>(i) + 0.5);
            left -= counts_[i];
        }
        return 0;
    }

private:
    static constexpr double least_ms = 0.01, ratio = 1.02;
    std::array<std::size_t, 800> counts_{};  // up to a minute and more
    std::size_t size_ = 0;
};

struct Result {
    Times all, first, last;  ///< the tenths that sales began in
    double per_s = 0, tenth_s = 0;
    std::size_t refused = 0;
    long early_kib = 0, late_kib = 0;  ///< resident memory, after the first tenth and at the end
};

long resident_kib() {
    std::ifstream in{"/proc/self/statm"};
    long all = 0, resident = 0;
    in >> all >> resident;
    return resident * 4;
}

/// Of the sales in one run: `name` makes their keys other than those of another run.
Result sell_all(TestDatabase& database, Seller& seller, const Options& options, const std::string& name,
                int seconds) {
    std::vector<std::thread> tills;
    std::mutex mutex;
    Result result;
    std::atomic<std::size_t> refused{0};
    std::atomic<long> early_kib{0};
    const auto start = Timer::now(), end = start + std::chrono::seconds{seconds};
    const auto tenth = (end - start) / 10;
    for (int t = 0; t < options.terminals; ++t)
        tills.emplace_back([&, t] {
            Connection connection{database.settings("wm_vending")};
            Times all, first, last;
            for (int i = 0; Timer::now() < end; ++i) {
                const auto begun = Timer::now();
                const auto terminal = Vendors{connection}.terminal("T" + std::to_string(t));
                const auto key = name + std::to_string(i);
                // each till has its own meters, as customers stand at one
                const int meter = (i * options.terminals + t) % options.meters;
                const auto answer = seller.sell(connection, {.terminal = *terminal,
                                                             .operator_ = "bench",
                                                             .key = key,
                                                             .body_hash = Buffer(32),
                                                             .meter = pan(meter),
                                                             .tender = {5'000 + i % 997},
                                                             .units = {}});
                if (!std::holds_alternative<Reply>(answer)) ++refused;
                const auto ms = std::chrono::duration<double, std::milli>(Timer::now() - begun).count();
                all.add(ms);
                if (begun < start + tenth) first.add(ms);
                if (begun > end - tenth) last.add(ms);
                if (begun > start + tenth && early_kib == 0) early_kib = resident_kib();
            }
            const std::lock_guard lock{mutex};
            result.all.add(all);
            result.first.add(first);
            result.last.add(last);
        });
    for (auto& till : tills) till.join();
    const auto length = std::chrono::duration<double>(Timer::now() - start).count();
    result.refused = refused;
    result.per_s = static_cast<double>(result.all.size() - refused) / length;
    result.tenth_s = std::chrono::duration<double>(tenth).count();
    result.early_kib = early_kib;
    result.late_kib = resident_kib();
    return result;
}

/// The rows of a sale of one line of each kind that the bench's tariff makes, as plain statements.
void write_script(const std::string& file, const Options& options) {
    std::ofstream out{file};
    out << "\\set m random(1, " << options.meters << ")\n"
        << "\\set k random(1, 9000000000000000000)\n"
        << "\\set v " << (options.one_vendor ? std::string{"1"} : ":client_id + 1") << "\n"
        << "begin;\n"
           "update customer_account set version = version + 1, month_tenths = month_tenths + 1 where id = "
           ":m;\n"
           "update prepaid_meter set last_tid = last_tid + 1 where id = :m;\n"
           "insert into sale (tenant, kind, state, terminal, key, body_hash, operator, vendor, account, "
           "meter, tariff_version, at_us, day, "
           "tender, pay_type, tenths, free_tenths, counted_tenths, charged_before) values (1, 'sale', "
           "'intended', :v, 'b' || :k, "
           "sha256('x'), 'bench', :v, :m, :m, 1, 1, '2026-01-01', 5000, 'cash', 100, 0, 100, 1) returning id "
           "as s \\gset\n"
           "insert into sale_line select :s, p, 'energy', 'Home', 10, 1, 1, 1, 1, null, null, 1, 2 from "
           "generate_series(1, 6) p;\n"
           "insert into vend_token values ('b' || :k, :s, 0, 'credit', -cast(:s as bigint), 201457, 1, 1, "
           "2014, 1, "
           "repeat('x', 90));\n"
           "insert into vend_journal (at_us, sale, event, operator, record) values (1, :s, 'intended', "
           "'bench', repeat('x', 1200));\n"
           "update vendor set credit = credit - 1 where id = :v;\n"
           "commit;\n"
           "begin;\n"
           "update sale set state = 'issued', response = decode(repeat('ab', 1100), 'hex'), completed_us = 1 "
           "where id = :s;\n"
           "update vend_token set module_sequence = 1, issued_us = 1 where request = 'b' || :k;\n"
           "insert into vend_journal (at_us, sale, event, operator, record) values (1, :s, 'issued', "
           "'bench', repeat('x', 90));\n"
           "commit;\n";
}

double pgbench(const TestDatabase& database, const Options& options, const std::string& folder) {
    const auto script = folder + "/sale.pgbench", result = folder + "/pgbench.out";
    write_script(script, options);
    const auto command =
        "PGOPTIONS='-c search_path=wattmesh' /usr/lib/postgresql/15/bin/pgbench -n -M prepared -c " +
        std::to_string(options.terminals) + " -j 2 -T " +
        std::to_string(std::min(options.seconds, bound_seconds_max)) + " -f " + script + " \"" +
        database.connection() + "\" > " + result + " 2>&1 </dev/null";
    const int status = std::system(command.c_str());  // NOLINT: a bench's own words
    std::ifstream in{result};
    std::string said;
    for (std::string line; std::getline(in, line); said += line + "\n")
        if (status == 0 && line.rfind("tps = ", 0) == 0) return std::atof(line.c_str() + 6);
    throw std::runtime_error("pgbench did not measure the bound:\n" + said.substr(0, 2'000));
}

struct Chance final : Random {
    void fill(std::span<std::uint8_t> out) override { std::fill(out.begin(), out.end(), std::uint8_t{0x5A}); }
};

void report(const Options& options, const Result& result, double bound, std::size_t troubles, bool whole) {
    const auto sales = result.all.size() - result.refused;
    std::fprintf(stderr, "%d tills of %s: %zu sales, %.0f a second, median %.1f ms; pgbench %.0f a second\n",
                 options.terminals, options.one_vendor ? "one vendor" : "a vendor each", sales, result.per_s,
                 result.all.at_share(0.5), bound);
    std::printf(
        "{\"bench\":\"vend\",\"terminals\":%d,\"one_vendor\":%s,\"seconds\":%d,\"meters\":%d,\"sales\":%zu,"
        "\"refused\":%zu,\"sales_per_s\":%.1f,\"p50_ms\":%.2f,\"p99_ms\":%.2f,\"first_per_s\":%.1f,"
        "\"last_per_s\":%.1f,\"first_p99_ms\":%.2f,\"last_p99_ms\":%.2f,\"early_kib\":%ld,\"late_kib\":%ld,"
        "\"pgbench_bound_per_s\":%.1f,\"of_bound\":%.3f,\"troubles\":%zu,\"journal_whole\":%s}\n",
        options.terminals, options.one_vendor ? "true" : "false", options.seconds, options.meters, sales,
        result.refused, result.per_s, result.all.at_share(0.5), result.all.at_share(0.99),
        static_cast<double>(result.first.size()) / result.tenth_s,
        static_cast<double>(result.last.size()) / result.tenth_s, result.first.at_share(0.99),
        result.last.at_share(0.99), result.early_kib, result.late_kib, bound,
        bound > 0 ? result.per_s / bound : 0, troubles, whole ? "true" : "false");
}

int run(int argc, char** argv) {
    const auto options = options_from(argc, argv);
    TestDatabase database;
    Connection admin{database.settings()};
    admin.execute("alter system set fsync = on", "flushing for real");
    admin.execute("select pg_reload_conf()", "flushing for real");
    std::string folder = "/tmp/wattmesh-bench-vend-XXXXXX";
    if (mkdtemp(folder.data()) == nullptr) return 1;
    const platform::ScaledClock clock;
    Chance random;
    const security::FileMasterKey master{Key256{}};
    security::SoftwareModule module{{folder + "/module"}, master, random};
    const auto key = *sts::VendingKey::from(*from_hex("abababababababab949494949494949401234567"));
    module.load_key({.name = {{201457}, 1}, .units_limit = 1'000'000'000'000}, key,
                    security::VendingKeyFile::check_value(sts::Derivation::dkga04, key));
    furnish(admin, options, clock.now());
    admin.execute("vacuum analyze", "settling");
    Seller seller{{module, master, clock}};
    std::atomic<bool> stop{false};
    std::thread sealer{[&] {
        Connection connection{database.settings("wm_vending")};
        const AuditMark mark{folder + "/counters", vend_mark};
        while (!stop) {
            seal(connection, mark, clock.now());
            std::this_thread::sleep_for(std::chrono::milliseconds{500});
        }
    }};
    sell_all(database, seller, options, "w", 1);
    admin.execute("analyze", "knowing the tables");
    const auto result = sell_all(database, seller, options, "k", options.seconds);
    stop = true;
    sealer.join();
    Connection vending{database.settings("wm_vending")};
    vending.execute("set statement_timeout = 0", "letting the check take its time");
    const auto troubles = VendJournal{vending}.check().size();
    const bool whole = !VendJournal{vending}.first_broken();
    const auto bound = pgbench(database, options, folder);
    std::filesystem::remove_all(folder);
    report(options, result, bound, troubles, whole);
    return troubles == 0 && whole ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
    try {
        return run(argc, argv);
    } catch (const std::exception& error) {
        std::fprintf(stderr, "bench_vend: %s\n", error.what());
        return 1;
    }
}
