#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <string>
#include <vector>

#include "headend/database/concentrators.h"
#include "headend/database/copy_in.h"
#include "headend/database/ingest_writer.h"
#include "headend/database/meters.h"
#include "tests/db/fixture/postgres.h"

/// bench_ingest [--meters N] [--rows N] [--batch N]: rows per second through IngestWriter (synchronous
/// commit, fsync on) - new rows, and the same rows again - and, in the same run on the same server, what a
/// bare binary COPY of such rows brings. One JSON line on stdout.
namespace {

using namespace wattmesh;
using namespace wattmesh::headend::database;
using headend::frontend::Batch;

struct Options {
    int meters = 2'000, rows = 400'000, batch = 10'000;
};
constexpr int rows_per_entry = 6, channels = 8;
const Instant start{std::chrono::sys_days{std::chrono::year{2026} / 3 / 10}};
const DeviceNumber unit = *DeviceNumber::parse("900000000001");

DeviceNumber meter_number(int i) { return *DeviceNumber::parse(std::to_string(540'000'000'000LL + i)); }
std::int64_t value_of(int meter, int slot, int channel) {
    return 1'000 + (meter * 7 + slot * 13 + channel * 3) % 5'000;
}

dcu::IntervalRow row_of(int meter, int slot) {
    dcu::IntervalRow row{
        .at = start + std::chrono::minutes{15} * (slot + 1), .status = 0, .channels = channels, .values = {}};
    for (int channel = 0; channel < channels; ++channel)
        row.values[static_cast<std::size_t>(channel)] = value_of(meter, slot, channel);
    return row;
}

/// Time-major, as it arrives: every meter's next six intervals, then the following six.
std::vector<Batch> batches(const Options& options, JournalId journal, OwnerEpoch epoch) {
    std::vector<Batch> out;
    const int entries = options.rows / rows_per_entry,
              per_batch = std::max(1, options.batch / rows_per_entry);
    for (int entry = 0; entry < entries; ++entry) {
        if (entry % per_batch == 0) {
            Batch batch;
            batch.concentrator = unit;
            batch.journal = journal;
            batch.epoch = epoch;
            batch.from = batch.to = Sequence{static_cast<std::uint64_t>(entry)};
            batch.received = start + std::chrono::hours{24 * 30};
            out.push_back(std::move(batch));
        }
        const int meter = entry % options.meters, first = entry / options.meters * rows_per_entry;
        headend::frontend::StoredMeterRows rows{meter_number(meter), obis::load_profile, {}, {}, false};
        for (int i = 0; i < rows_per_entry; ++i) rows.rows.push_back(row_of(meter, first + i));
        rows.sequence = Sequence{++out.back().to.value};
        out.back().intervals.push_back(std::move(rows));
    }
    return out;
}

template <class Work>
double seconds(Work work) {
    const auto from = std::chrono::steady_clock::now();
    work();
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - from).count();
}

/// The same rows in the same batches, sorted by meter, without looking at anything. The bound of the writer.
void bare_copy(Connection& connection, const std::vector<Batch>& work) {
    connection.execute("create table bare (like interval_row, primary key (meter, bank, at_us)) ",
                       "making the bare table");
    for (const auto& batch : work) {
        Transaction transaction{connection};
        CopyIn copy{connection,
                    "bare (meter, at_us, journal, sequence, quality, tenant, area, bank, status, v1, v2, v3, "
                    "v4, v5, v6, v7, v8)"};
        for (const auto& entry : batch.intervals)
            for (const auto& row : entry.rows) {
                copy.row(17);
                copy.i64(static_cast<std::int64_t>(entry.meter.integer()));
                copy.i64(epoch_us(row.at));
                copy.i64(1);
                copy.i64(static_cast<std::int64_t>(entry.sequence.value));
                copy.i64(0);
                copy.i32(1);
                copy.i32(1);
                copy.i16(1);
                copy.i16(0);
                for (const auto& value : row.values) copy.i64(value);
            }
        copy.finish();
        transaction.commit();
    }
}

int number_after(int argc, char** argv, const std::string& name, int otherwise) {
    for (int i = 1; i + 1 < argc; ++i)
        if (argv[i] == name) return std::atoi(argv[i + 1]);
    return otherwise;
}

}  // namespace

int main(int argc, char** argv) {
    Options options;
    options.meters = number_after(argc, argv, "--meters", options.meters);
    options.rows = number_after(argc, argv, "--rows", options.rows) / rows_per_entry * rows_per_entry;
    options.batch = number_after(argc, argv, "--batch", options.batch);
    if (options.meters < 1 || options.rows < 1 || options.batch < rows_per_entry) {
        std::fprintf(
            stderr,
            "usage: bench_ingest [--meters N] [--rows N] [--batch N], N above 0, a batch of 6 at least\n");
        return 2;
    }

    const test::TestDatabase database;
    Connection admin{database.settings()};
    admin.execute("alter system set fsync = on; ", "being honest");
    admin.execute("select pg_reload_conf()", "being honest");
    admin.execute("update bank set channels = 8 where id = 1", "widening the bank");
    const auto concentrator = Concentrators{admin}.add(unit, "bench", start);
    for (int i = 0; i < options.meters; ++i)
        Meters{admin}.put({.number = meter_number(i), .concentrator = concentrator, .installed = start});
    Connection connection{database.settings("wm_frontend")};
    const auto epoch = Concentrators{connection}.open_session(unit, start)->epoch;

    const auto first = batches(options, JournalId{{1}}, epoch),
               again = batches(options, JournalId{{2}}, epoch);
    IngestWriter writer;
    long long stored = 0, merged = 0;
    const double fresh_s = seconds([&] {
        for (const auto& batch : first) stored += writer.store(connection, batch).rows_new;
    });
    const double merge_s = seconds([&] {
        for (const auto& batch : again) merged += writer.store(connection, batch).rows_duplicate;
    });
    const double bare_s = seconds([&] { bare_copy(admin, first); });
    if (stored != options.rows || merged != options.rows) {
        std::fprintf(stderr, "bench_ingest: stored %lld and found again %lld of %d rows\n", stored, merged,
                     options.rows);
        return 1;
    }
    std::printf(
        "{\"bench\":\"ingest\",\"meters\":%d,\"rows\":%d,\"batch_rows\":%d,\"channels\":%d,\"rows_per_s\":%."
        "0f,"
        "\"readings_per_s\":%.0f,\"replayed_rows_per_s\":%.0f,\"bare_copy_rows_per_s\":%.0f,\"share_of_"
        "bound\":%.2f}\n",
        options.meters, options.rows, options.batch, channels, options.rows / fresh_s,
        options.rows * channels / fresh_s, options.rows / merge_s, options.rows / bare_s, bare_s / fresh_s);
    return 0;
}
