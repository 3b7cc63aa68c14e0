#include "headend/database/read_mesh.h"

#include "headend/database/bindings.h"

namespace wattmesh::headend::database {

std::vector<LinkSeen> MeshReader::links(ConcentratorId concentrator, Instant since) {
    return connection_.run("reading the links of a mesh", [&](soci::session& sql) {
        std::vector<LinkSeen> found;
        const soci::rowset<soci::row> rows =
            (sql.prepare
                 << "select e.meter_number, coalesce(e.parent, 0), max(e.rssi_dbm)::int, max(e.at_us) "
                    "from event e where e.concentrator = :concentrator and e.kind = 3 and e.at_us >= "
                    "cast(:since as bigint) group by 1, 2 order by 1, 2",
             use(concentrator), use(since));
        for (const auto& row : rows)
            found.push_back({.meter = row.get<DeviceNumber>(0),
                             .parent = device_number(row.get<long long>(1)),
                             .rssi_dbm = row.get_indicator(2) == soci::i_null
                                             ? std::nullopt
                                             : std::optional{row.get<int>(2)},
                             .last = row.get<Instant>(3)});
        return found;
    });
}

}  // namespace wattmesh::headend::database
