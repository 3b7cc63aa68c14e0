#include "headend/database/read_outages.h"

#include <charconv>

#include "headend/database/bindings.h"

namespace wattmesh::headend::database {
namespace {

// An outage ends with the first end after it that no other outage of the concentrator comes before.
constexpr const char* outages_sql =
    "select c.number, o.at_us, o.received_us, o.members, o.reported, o.silent, x.at_us, x.back, x.missing "
    "from event o left join concentrator c on c.id = o.concentrator "
    "left join lateral (select e.at_us, e.back, e.missing from event e where e.kind = 13 "
    "and e.concentrator = o.concentrator and e.at_us >= o.at_us order by e.at_us limit 1) x on true "
    "where o.kind = 12";

std::uint16_t count_of(const soci::row& row, std::size_t column) {
    return static_cast<std::uint16_t>(row.get<int>(column, 0));
}

template <class T>
std::optional<T> maybe(const soci::row& row, std::size_t column) {
    if (row.get_indicator(column) == soci::i_null) return std::nullopt;
    return row.get<T>(column);
}

std::optional<DeviceNumber> maybe_number(const soci::row& row, std::size_t column) {
    const auto number = maybe<long long>(row, column);
    return number && *number != 0 ? std::optional{device_number(*number)} : std::nullopt;
}

/// "540000000001,540000000002", as array_to_string gives it.
std::vector<DeviceNumber> relays_of(const std::string& text) {
    std::vector<DeviceNumber> relays;
    const char* at = text.data();
    const char* const end = at + text.size();
    while (at < end) {
        long long number = 0;
        const auto parsed = std::from_chars(at, end, number);
        if (parsed.ec != std::errc{}) break;
        relays.push_back(device_number(number));
        at = parsed.ptr + (parsed.ptr < end ? 1 : 0);
    }
    return relays;
}

}  // namespace

std::vector<OutageLine> OutageReader::list(int count_max) {
    return connection_.run("listing power cuts", [&](soci::session& sql) {
        std::vector<OutageLine> found;
        const soci::rowset<soci::row> rows =
            (sql.prepare << std::string{outages_sql} + " order by o.at_us desc limit :count", use(count_max));
        for (const auto& row : rows) {
            OutageLine line{.concentrator = row.get<DeviceNumber>(0),
                            .at = row.get<Instant>(1),
                            .received = row.get<Instant>(2),
                            .seen = {count_of(row, 3), count_of(row, 4), count_of(row, 5)},
                            .ended = maybe<Instant>(row, 6),
                            .end = std::nullopt};
            if (line.ended) line.end = dcu::OutageEnd{count_of(row, 7), count_of(row, 8)};
            found.push_back(line);
        }
        return found;
    });
}

int OutageReader::open() {
    return connection_.run("counting power cuts", [&](soci::session& sql) {
        int count = 0;
        sql << "select count(*)::int from (" + std::string{outages_sql} + ") o where o.back is null",
            soci::into(count);
        return count;
    });
}

std::optional<PlaceAt> OutageReader::place(DeviceNumber meter, Instant at) {
    return connection_.run("looking up the way to a meter", [&](soci::session& sql) {
        const soci::rowset<soci::row> rows =
            (sql.prepare << "select s.kind::int, s.at_us, c.number, s.inferred::int, j.at_us, j.hops::int, "
                            "j.rssi_dbm::int, "
                            "j.sub_address::int, j.parent, array_to_string(j.route, ','), (select "
                            "min(n.at_us) from event n "
                            "where n.meter_number = s.meter_number and n.kind in (3, 4, 10, 11, 14) and "
                            "n.at_us > cast(:at as "
                            "bigint)) from (select * from event e where e.meter_number = :meter and e.kind "
                            "in (3, 4, 10, 11, "
                            "14) and e.at_us <= cast(:at2 as bigint) order by e.at_us desc, e.sequence desc "
                            "limit 1) s "
                            "left join concentrator c on c.id = s.concentrator left join lateral (select * "
                            "from event e where "
                            "e.meter_number = s.meter_number and e.kind = 3 and e.at_us <= cast(:at3 as "
                            "bigint) order by "
                            "e.at_us desc, e.sequence desc limit 1) j on true",
             use(at), use(meter), use(at), use(at));
        std::optional<PlaceAt> found;
        for (const auto& row : rows) {
            found = PlaceAt{.kind = static_cast<dcu::EntryKind>(row.get<int>(0)),
                            .since = row.get<Instant>(1),
                            .until = maybe<Instant>(row, 10),
                            .concentrator = maybe_number(row, 2),
                            .inferred = row.get<int>(3, 0) != 0,
                            .hops = maybe<int>(row, 5),
                            .rssi_dbm = maybe<int>(row, 6),
                            .sub_address = maybe<int>(row, 7),
                            .parent = maybe_number(row, 8),
                            .route_since = maybe<Instant>(row, 4),
                            .route = std::nullopt};
            if (const auto text = maybe<std::string>(row, 9)) found->route = relays_of(*text);
        }
        return found;
    });
}

}  // namespace wattmesh::headend::database
