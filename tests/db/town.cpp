#include "tests/db/town.h"

#include <soci/soci.h>

namespace wattmesh::test {

Town::Town(int meters) {
    id = Concentrators{admin}.add(unit, "Station 1", midnight);
    Meters repository{admin};
    for (int i = 0; i < meters; ++i)
        repository.put({.number = customer(i), .concentrator = id, .installed = midnight});
    epoch = Concentrators{frontend}.open_session(unit, midnight)->epoch;
}

headend::frontend::StoredMeterRows Town::entry(int meter, std::uint64_t sequence,
                                               std::vector<dcu::IntervalRow> rows) {
    return {customer(meter), obis::load_profile, std::move(rows), Sequence{sequence}, false};
}

Batch Town::batch(std::uint64_t from, std::uint64_t to,
                  std::vector<headend::frontend::StoredMeterRows> intervals) const {
    Batch out;
    out.concentrator = unit;
    out.journal = journal(1);
    out.epoch = epoch;
    out.from = Sequence{from};
    out.to = Sequence{to};
    out.intervals = std::move(intervals);
    out.received = midnight + std::chrono::hours{12};
    return out;
}

long long Town::value(const std::string& query) {
    return admin.run("asking in a test", [&](soci::session& sql) {
        long long value = -1;
        soci::indicator there = soci::i_null;
        sql << "select (" + query + ")::bigint", soci::into(value, there);
        return there == soci::i_ok ? value : -1;
    });
}

}  // namespace wattmesh::test
