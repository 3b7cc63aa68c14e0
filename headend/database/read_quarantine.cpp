#include "headend/database/read_quarantine.h"

#include "headend/database/bindings.h"

namespace wattmesh::headend::database {
namespace {

constexpr const char* devices_sql =
    "select 0 as kind, max(e.received_us) as at_us, max(c.number) as concentrator, e.meter_number as meter, "
    "'asked to join and is not on the meter list' as reason, count(*) || ' times' as detail "
    "from event e left join concentrator c on c.id = e.concentrator "
    "where e.kind = 6 and not exists (select 1 from meter m where m.number = e.meter_number) and not exists "
    "(select 1 from collector k where k.number = e.meter_number) group by "
    "e.meter_number";
constexpr const char* entries_sql =
    "select 1, r.received_us, c.number, nullif(r.meter_number, 0), r.reason, "
    "'entry ' || r.sequence || ', ' || length(r.raw) || ' octets: ' || encode(substring(r.raw for 48), "
    "'hex') "
    "from rejected_entry r left join concentrator c on c.id = r.concentrator";
constexpr const char* conflicts_sql =
    "select 2, k.received_us, c.number, m.number, 'another value for a stored reading', "
    "b.name || ' channel ' || k.channel || ' at ' || to_char(at_time(k.at_us) at time zone 'UTC', "
    "'YYYY-MM-DD HH24:MI') || "
    "': stored ' || k.stored_value || ', came ' || k.value "
    "from reading_conflict k join meter m on m.id = k.meter join bank b on b.id = k.bank "
    "left join concentrator c on c.id = m.concentrator";

}  // namespace

std::int64_t QuarantineReader::devices() {
    return connection_.run("counting unknown devices", [&](soci::session& sql) {
        long long count = 0;
        sql << "select count(distinct e.meter_number) from event e where e.kind = 6 "
               "and not exists (select 1 from meter m where m.number = e.meter_number) "
               "and not exists (select 1 from collector k where k.number = e.meter_number)",
            soci::into(count);
        return count;
    });
}

std::vector<QuarantineItem> QuarantineReader::list(std::optional<QuarantineKind> only, int count_max) {
    return connection_.run("listing the quarantine", [&](soci::session& sql) {
        std::string text;
        if (!only || *only == QuarantineKind::device) text = devices_sql;
        if (!only || *only == QuarantineKind::entry)
            text += (text.empty() ? "" : " union all ") + std::string{entries_sql};
        if (!only || *only == QuarantineKind::conflict)
            text += (text.empty() ? "" : " union all ") + std::string{conflicts_sql};
        std::vector<QuarantineItem> found;
        const soci::rowset<soci::row> rows =
            (sql.prepare << "select * from (" + text + ") q order by 2 desc limit :count",
             soci::use(count_max));
        for (const auto& row : rows)
            found.push_back({.kind = static_cast<QuarantineKind>(row.get<int>(0)),
                             .at = row.get<Instant>(1),
                             .concentrator = row.get<std::optional<DeviceNumber>>(2),
                             .meter = row.get<std::optional<DeviceNumber>>(3),
                             .reason = row.get<std::string>(4),
                             .detail = row.get<std::string>(5)});
        return found;
    });
}

}  // namespace wattmesh::headend::database
