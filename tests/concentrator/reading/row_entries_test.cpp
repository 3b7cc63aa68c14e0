#include "concentrator/reading/row_entries.h"

#include <catch2/catch.hpp>

#include "protocol/dlms/date_time.h"

using namespace wattmesh;
using namespace wattmesh::concentrator;
using namespace std::chrono_literals;

namespace {

const DeviceNumber meter = *DeviceNumber::parse("540000000001");
constexpr Instant midnight = std::chrono::sys_days{std::chrono::year{2026} / 11 / 22};

/// Rows of which only the first and every `told`-th say their status and first channel.
dlms::Data compressed_rows(int count, int told) {
    std::vector<dlms::Data> rows;
    for (int i = 0; i < count; ++i) {
        const dlms::Data null;
        const bool tells = i % told == 0;
        rows.push_back(dlms::structure({i == 0 ? dlms::date_time_octets({midnight}) : null,
                                        tells ? dlms::Data{static_cast<std::uint8_t>(i % 7)} : null,
                                        tells ? dlms::Data{static_cast<std::uint32_t>(1'000 + i)} : null,
                                        static_cast<std::uint32_t>(i)}));
    }
    return dlms::array(std::move(rows));
}

}  // namespace

TEST_CASE("row entries: every entry tells by itself what the meter's answer told as a whole", "[reading]") {
    const dlms::Data rows = compressed_rows(700, 64);
    const auto whole = dcu::interval_rows({obis::load_profile, rows}, 15min);
    REQUIRE(whole);
    const auto read = row_entries(meter, obis::load_profile, rows, 15min, {midnight, midnight + 24h, false});
    REQUIRE(read);
    CHECK(read->entries.size() > 2);
    CHECK(read->last == midnight + 699 * 15min);
    std::vector<dcu::IntervalRow> together;
    for (const Draft& entry : read->entries) {
        CHECK(entry.payload.size() <= dcu::entry_payload_size_max);
        const auto part = dcu::interval_rows(*dcu::decode_profile_rows(entry.payload), 15min);
        REQUIRE(part);
        together.insert(together.end(), part->begin(), part->end());
    }
    CHECK(together == *whole);
}
