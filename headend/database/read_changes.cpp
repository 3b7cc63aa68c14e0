#include "headend/database/read_changes.h"

#include "headend/database/bindings.h"

namespace wattmesh::headend::database {

std::vector<ConcentratorMark> ChangeReader::marks() {
    return connection_.run("looking for news of concentrators", [&](soci::session& sql) {
        std::vector<ConcentratorMark> found;
        const soci::rowset<soci::row> rows =
            (sql.prepare
             << "select c.number, c.area, c.link, c.owner_epoch, coalesce(sum(j.rows_stored), 0)::bigint, "
                "coalesce(sum(j.entries_stored), 0)::bigint from concentrator c "
                "left join journal_cursor j on j.concentrator = c.id group by c.id, c.number, c.area, "
                "c.link, c.owner_epoch order by c.number");
        for (const auto& row : rows)
            found.push_back({.number = row.get<DeviceNumber>(0),
                             .area = row.get<AreaId>(1),
                             .online = row.get<int>(2) != 0,
                             .owner_epoch = row.get<OwnerEpoch>(3),
                             .rows = row.get<long long>(4),
                             .entries = row.get<long long>(5)});
        return found;
    });
}

std::vector<MeshChange> ChangeReader::mesh_changes(Instant after, int count_max, Instant& newest) {
    return connection_.run("looking for news of the mesh", [&](soci::session& sql) {
        std::vector<MeshChange> found;
        newest = after;
        const soci::rowset<soci::row> rows =
            (sql.prepare
                 << "select * from (select e.meter_number, c.number, e.kind, coalesce(e.hops, 0)::int, "
                    "e.at_us, e.received_us "
                    "from event e join concentrator c on c.id = e.concentrator where e.kind in (3, 4) "
                    "and e.received_us > cast(:after as bigint) order by e.received_us desc limit :count) n "
                    "order by 6",
             soci::use(after, "after"), soci::use(count_max, "count"));
        for (const auto& row : rows) {
            found.push_back({.meter = row.get<DeviceNumber>(0),
                             .concentrator = row.get<DeviceNumber>(1),
                             .joined = row.get<int>(2) == static_cast<int>(dcu::EntryKind::meter_joined),
                             .hops = row.get<int>(3),
                             .at = row.get<Instant>(4)});
            newest = row.get<Instant>(5);
        }
        return found;
    });
}

}  // namespace wattmesh::headend::database
