#include "headend/database/alarms.h"
#include "headend/database/bindings.h"

namespace wattmesh::headend::database {
namespace {
constexpr std::chrono::hours day{24}, week{7 * 24};
constexpr std::chrono::minutes window{10};
constexpr int top_max = 10, flood_above = 10;  // EEMUA 191: more than ten in ten minutes
}  // namespace

AlarmConduct Alarms::conduct(Instant now) {
    return connection_.run("judging the alarms' conduct", [&](soci::session& sql) {
        AlarmConduct found;
        const Instant yesterday = now - day, lately = now - window, last_week = now - week;
        long long last_10 = 0, last_day = 0, worst = 0, floods = 0;
        sql << "select count(*) filter (where j.at_us > :lately), count(*) from alarm_journal j "
               "where j.what = 'raised' and j.at_us > :yesterday",
            use(lately), use(yesterday), soci::into(last_10), soci::into(last_day);
        sql << "select coalesce(max(n), 0), count(*) filter (where n > :flood) from (select count(*) as n "
               "from alarm_journal where what = 'raised' and at_us > :yesterday group by at_us / 600000000) "
               "q",
            use(flood_above), use(yesterday), soci::into(worst), soci::into(floods);
        found.last_10_min = last_10;
        found.last_day = last_day;
        found.worst_10_min = worst;
        found.floods = floods;
        sql << "select count(*)::int, count(*) filter (where active and raised_us < :yesterday)::int, "
               "count(*) filter (where chattering)::int from alarm where state between 1 and 4",
            use(yesterday), soci::into(found.standing), soci::into(found.stale), soci::into(found.chattering);
        const soci::rowset<soci::row> shares =
            (sql.prepare << "select a.priority, count(*) from alarm_journal j join alarm a on a.id = j.alarm "
                            "where j.what = 'raised' and j.at_us > :week group by 1",
             use(last_week));
        for (const auto& row : shares)
            found.by_priority[static_cast<std::size_t>(row.get<int>(0) - 1)] = row.get<long long>(1);
        const soci::rowset<soci::row> top =
            (sql.prepare << "select a.rule, a.kind, a.object, count(*) from alarm_journal j join alarm a on "
                            "a.id = j.alarm where j.what = 'raised' and j.at_us > :week group by 1, 2, 3 "
                            "order by 4 desc, 1, 3 limit :count",
             use(last_week), use(top_max));
        for (const auto& row : top)
            found.top.push_back({row.get<std::string>(0),
                                 {row.get<std::string>(1), row.get<std::string>(2)},
                                 row.get<long long>(3)});
        return found;
    });
}

}  // namespace wattmesh::headend::database
