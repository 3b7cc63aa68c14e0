#pragma once
#include <cstdint>

#include "tests/db/fixture/postgres.h"

namespace wattmesh::bench {

/// One day of quarter hours, four channels each, of so many meters in the database, handed to a partner.
struct ExchangeRows {
    std::int64_t rows = 0;  ///< one meter at one instant
    double ndjson_per_s = 0, csv_per_s = 0;
    double xml_readings_per_s = 0;  ///< a reading is one value
    /// By how much the process grew at most while it streamed, both ends.
    double ndjson_memory_mib = 0, xml_memory_mib = 0;
};
/// NDJSON, and XML of IEC 61968-9, over REST to a client on this machine that counts; CSV to files in
/// `folder`.
ExchangeRows exchange_rows(const test::TestDatabase& database, int meters, const std::string& folder);

}  // namespace wattmesh::bench
