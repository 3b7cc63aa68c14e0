#pragma once
#include <string>
#include <vector>

#include "headend/database/concentrators.h"
#include "headend/database/ingest_writer.h"
#include "headend/database/meters.h"
#include "tests/db/fixture/postgres.h"

namespace wattmesh::test {

using namespace headend::database;
using headend::frontend::Batch;
using headend::frontend::StoreOutcome;

inline DeviceNumber number(const std::string& digits) { return DeviceNumber::parse(digits).value(); }
inline const DeviceNumber unit = number("900000000001");
/// Customer meter i (below 10 000).
inline DeviceNumber customer(int i) {
    const auto digits = std::to_string(10'000 + i);
    return number("54000000" + digits.substr(1));
}
/// 2026-03-10 00:00 UTC.
inline const Instant midnight{std::chrono::sys_days{std::chrono::year{2026} / 3 / 10}};
inline Instant quarter(int i) { return midnight + std::chrono::minutes{15} * i; }
inline JournalId journal(std::uint8_t i) { return JournalId{{i, 0xA5}}; }

inline dcu::IntervalRow interval(Instant at, std::int64_t energy) {
    dcu::IntervalRow row{.at = at, .status = 0, .channels = 4, .values = {}};
    for (std::int64_t channel = 0; channel < 4; ++channel)
        row.values[static_cast<std::size_t>(channel)] = energy * 10 + channel;
    return row;
}

/// A database with one concentrator in session and a few meters.
struct Town {
    explicit Town(int meters = 3);
    /// Rows of one entry for customer(meter).
    static headend::frontend::StoredMeterRows entry(int meter, std::uint64_t sequence,
                                                    std::vector<dcu::IntervalRow> rows);
    Batch batch(std::uint64_t from, std::uint64_t to,
                std::vector<headend::frontend::StoredMeterRows> intervals) const;
    Ingested store(const Batch& batch) { return writer.store(frontend, batch); }
    /// First column of the first row, as the administrator.
    long long value(const std::string& query);

    TestDatabase database;
    Connection admin{database.settings()}, frontend{database.settings("wm_frontend")},
        monitor{database.settings("wm_monitor")}, console{database.settings("wm_console")};
    ConcentratorId id;
    OwnerEpoch epoch;
    IngestWriter writer;
};

}  // namespace wattmesh::test
