#include "headend/database/collectors.h"

#include "headend/database/bindings.h"

namespace wattmesh::headend::database {

std::optional<Collectors::Known> Collectors::find(DeviceNumber number) {
    return connection_.run("finding a collector", [&](soci::session& sql) -> std::optional<Known> {
        Known known;
        std::string sealed;
        sql << "select concentrator, mesh_join from collector where number = :number", use(number),
            soci::into(known.concentrator), soci::into(sealed);
        if (!sql.got_data()) return std::nullopt;
        known.sealed = from_bytea(sealed);
        return known;
    });
}

void Collectors::put(DeviceNumber number, ConcentratorId concentrator, Bytes sealed, Instant now) {
    connection_.run("registering a collector", [&](soci::session& sql) {
        const auto octets = bytea(sealed);
        sql << "insert into collector (tenant, area, number, concentrator, mesh_join, registered_us) values "
               "(1, 1, :number, :concentrator, :sealed, :now) on conflict (number) do update set "
               "concentrator = excluded.concentrator, mesh_join = excluded.mesh_join",
            use(number), use(concentrator), use(octets), use(now);
    });
}

std::vector<DeviceNumber> Collectors::of(ConcentratorId concentrator) {
    return connection_.run("listing a concentrator's collectors", [&](soci::session& sql) {
        std::vector<DeviceNumber> found;
        const soci::rowset<soci::row> rows =
            (sql.prepare << "select k.number from collector k where k.concentrator = :id or exists (select 1 "
                            "from collector_visit v where v.collector = k.id and v.concentrator = :id) "
                            "order by k.number",
             soci::use(concentrator, "id"));
        for (const auto& row : rows) found.push_back(row.get<DeviceNumber>(0));
        return found;
    });
}

std::vector<SealedJoinKey> Collectors::join_keys_of(ConcentratorId concentrator) {
    return connection_.run("listing collectors' join keys", [&](soci::session& sql) {
        std::vector<SealedJoinKey> found;
        const soci::rowset<soci::row> rows =
            (sql.prepare
                 << "select k.number, k.mesh_join from collector k where k.concentrator = :id or exists "
                    "(select "
                    "1 from collector_visit v where v.collector = k.id and v.concentrator = :id) order by "
                    "k.number",
             soci::use(concentrator, "id"));
        for (const auto& row : rows)
            found.push_back({row.get<DeviceNumber>(0), from_bytea(row.get<std::string>(1))});
        return found;
    });
}

std::vector<CollectorLine> Collectors::lines(ConcentratorId concentrator) {
    return connection_.run("listing collectors", [&](soci::session& sql) {
        std::vector<CollectorLine> found;
        const soci::rowset<soci::row> rows =
            (sql.prepare
                 << "select k.number, l.joined::int, coalesce(l.hops, 0)::int, coalesce(l.parent, 0), "
                    "coalesce(l.rssi_dbm, 0)::int, coalesce(l.at_us, 0) from collector k "
                    "left join meter_link l on l.meter_number = k.number where k.concentrator = :id "
                    "order by k.number",
             use(concentrator));
        for (const auto& row : rows) {
            CollectorLine line{.number = row.get<DeviceNumber>(0), .place = {}};
            if (row.get_indicator(1) != soci::i_null) {
                const auto parent = row.get<long long>(3);
                line.place = {.known = true,
                              .joined = row.get<int>(1) != 0,
                              .hops = row.get<int>(2),
                              .parent = parent == 0 ? std::nullopt : std::optional{device_number(parent)},
                              .rssi_dbm = row.get<int>(4),
                              .at = row.get<Instant>(5),
                              .sub_address = {}};
            }
            found.push_back(std::move(line));
        }
        return found;
    });
}

}  // namespace wattmesh::headend::database
