#include "headend/database/read_overview.h"

#include "headend/database/bindings.h"

namespace wattmesh::headend::database {

StoreCounts OverviewReader::store_counts() {
    return connection_.run("counting what is stored", [&](soci::session& sql) {
        long long rows = 0, duplicates = 0, entries = 0, replayed = 0, conflicts = 0, rejected = 0;
        sql << "select coalesce(sum(rows_stored), 0)::bigint, coalesce(sum(rows_duplicate), 0)::bigint, "
               "coalesce(sum(entries_stored), 0)::bigint, coalesce(sum(entries_replayed), 0)::bigint, "
               "(select count(*) from reading_conflict), (select count(*) from rejected_entry) from "
               "journal_cursor",
            soci::into(rows), soci::into(duplicates), soci::into(entries), soci::into(replayed),
            soci::into(conflicts), soci::into(rejected);
        return StoreCounts{rows, duplicates, entries, replayed, conflicts, rejected};
    });
}

std::vector<HopRing> OverviewReader::hops() {
    return connection_.run("counting hops", [&](soci::session& sql) {
        std::vector<HopRing> rings;
        const soci::rowset<soci::row> rows =
            (sql.prepare << "select l.hops::int, count(*)::int from meter m join meter_link l on "
                            "l.meter_number = m.number "
                            "where l.joined and l.hops is not null group by 1 order by 1");
        for (const auto& row : rows) rings.push_back({row.get<int>(0), row.get<int>(1)});
        return rings;
    });
}

std::vector<ConcentratorLine> OverviewReader::lines(std::optional<DeviceNumber> only) {
    return connection_.run("listing concentrators with their meters", [&](soci::session& sql) {
        const long long number = only ? number_of(*only) : -1;
        std::vector<ConcentratorLine> found;
        const soci::rowset<soci::row> rows =
            (sql.prepare
                 << "select c.id, c.number, c.tenant, c.area, c.name, c.state, c.link, "
                    "c.owner_epoch, c.last_seen_us, "
                    "count(m.id)::int, count(m.id) filter (where l.joined)::int, "
                    "coalesce(max(l.hops) filter (where l.joined), 0)::int, min(m.number) filter "
                    "(where m.role = 1) "
                    "from concentrator c left join meter m on m.concentrator = c.id "
                    "left join meter_link l on l.meter_number = m.number "
                    "where (cast(:number as bigint) = -1 and c.road = 0) or c.number = cast(:number as "
                    "bigint) group by c.id, c.number, c.tenant, c.area, c.name, c.state, c.link, "
                    "c.owner_epoch, c.last_seen_us order by c.number",
             soci::use(number, "number"));
        for (const auto& row : rows)
            found.push_back({.concentrator = {.id = row.get<ConcentratorId>(0),
                                              .number = row.get<DeviceNumber>(1),
                                              .tenant = row.get<TenantId>(2),
                                              .area = row.get<AreaId>(3),
                                              .name = row.get<std::string>(4),
                                              .state = static_cast<ConcentratorState>(row.get<int>(5)),
                                              .link = static_cast<LinkState>(row.get<int>(6)),
                                              .owner_epoch = row.get<OwnerEpoch>(7),
                                              .last_seen = row.get<std::optional<Instant>>(8)},
                             .meters = row.get<int>(9),
                             .joined = row.get<int>(10),
                             .hops_max = row.get<int>(11),
                             .summary_meter = row.get<std::optional<DeviceNumber>>(12)});
        return found;
    });
}

std::vector<ConcentratorLine> OverviewReader::concentrators() { return lines(std::nullopt); }

std::optional<ConcentratorLine> OverviewReader::concentrator(DeviceNumber number) {
    auto found = lines(number);
    if (found.empty()) return std::nullopt;
    return std::move(found.front());
}

std::vector<JournalLine> OverviewReader::journals(ConcentratorId concentrator) {
    return connection_.run("listing journals", [&](soci::session& sql) {
        std::vector<JournalLine> found;
        const soci::rowset<soci::row> rows =
            (sql.prepare << "select encode(journal, 'hex'), sequence, advanced_us from journal_cursor where "
                            "concentrator = :id "
                            "order by advanced_us desc limit 20",
             soci::use(concentrator));
        for (const auto& row : rows) {
            JournalLine line{.journal = {},
                             .sequence = {static_cast<std::uint64_t>(row.get<long long>(1))},
                             .advanced = row.get<Instant>(2)};
            const auto octets = from_hex(row.get<std::string>(0)).value_or(Buffer{});
            if (octets.size() == line.journal.octets.size())
                std::copy(octets.begin(), octets.end(), line.journal.octets.begin());
            found.push_back(line);
        }
        return found;
    });
}

}  // namespace wattmesh::headend::database
