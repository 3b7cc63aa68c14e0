#include "headend/database/relay_rules.h"

#include "headend/database/bindings.h"

namespace wattmesh::headend::database {
std::optional<RelayStop> RelayRules::stopped(TenantId tenant) {
    return connection_.run(
        "looking whether switching is stopped", [&](soci::session& sql) -> std::optional<RelayStop> {
            RelayStop stop;
            sql << "select stopped_us, stopped_by, reason from relay_stop where tenant = :tenant",
                use(tenant), soci::into(stop.since), soci::into(stop.by), soci::into(stop.reason);
            if (!sql.got_data()) return std::nullopt;
            return stop;
        });
}

bool RelayRules::stop(TenantId tenant, const RelayStop& stop) {
    return connection_.run("stopping all switching", [&](soci::session& sql) {
        soci::statement insert =
            (sql.prepare
                 << "insert into relay_stop values (:tenant, :since, :by, :reason) on conflict do nothing",
             use(tenant), use(stop.since), use(stop.by), use(stop.reason));
        insert.execute(true);
        return insert.get_affected_rows() == 1;
    });
}

bool RelayRules::go_on(TenantId tenant) {
    return connection_.run("allowing switching again", [&](soci::session& sql) {
        soci::statement remove =
            (sql.prepare << "delete from relay_stop where tenant = :tenant", use(tenant));
        remove.execute(true);
        return remove.get_affected_rows() == 1;
    });
}

std::optional<std::string> RelayRules::protection(DeviceNumber meter) {
    return connection_.run("reading a meter's protection",
                           [&](soci::session& sql) -> std::optional<std::string> {
                               std::string why;
                               soci::indicator there = soci::i_null;
                               sql << "select protected_why from meter where number = :number", use(meter),
                                   soci::into(why, there);
                               if (!sql.got_data() || there != soci::i_ok) return std::nullopt;
                               return why;
                           });
}

bool RelayRules::protect(DeviceNumber meter, const std::optional<std::string>& why) {
    return connection_.run("protecting a meter", [&](soci::session& sql) {
        const std::string text = why.value_or(std::string{});
        soci::indicator there = why ? soci::i_ok : soci::i_null;
        soci::statement update =
            (sql.prepare << "update meter set protected_why = :why where number = :number",
             soci::use(text, there), use(meter));
        update.execute(true);
        return update.get_affected_rows() == 1;
    });
}

std::vector<ProtectedMeter> RelayRules::protected_among(const std::vector<DeviceNumber>& meters) {
    return connection_.run("looking for protected meters", [&](soci::session& sql) {
        std::vector<ProtectedMeter> found;
        const auto list = array_text(meters);
        const soci::rowset<soci::row> rows =
            (sql.prepare << "select number, coalesce(protected_why, 'summary meter of a transformer') from "
                            "meter where number = "
                            "any(cast(:list as bigint[])) and (protected_why is not null or role = 1) order "
                            "by number",
             use(list));
        for (const auto& row : rows) found.push_back({row.get<DeviceNumber>(0), row.get<std::string>(1)});
        return found;
    });
}

std::vector<RelayShare> RelayRules::shares(const std::vector<DeviceNumber>& meters) {
    return connection_.run("counting meters by concentrator", [&](soci::session& sql) {
        std::vector<RelayShare> found;
        const auto list = array_text(meters);
        const soci::rowset<soci::row> rows =
            (sql.prepare << "select c.number, count(*)::int from meter m left join concentrator c on c.id = "
                            "m.concentrator "
                            "where m.number = any(cast(:list as bigint[])) group by 1 order by 2 desc, 1",
             use(list));
        for (const auto& row : rows)
            found.push_back({row.get<std::optional<DeviceNumber>>(0), row.get<int>(1)});
        return found;
    });
}

std::vector<std::pair<std::optional<std::string>, int>> RelayRules::feeders(
    const std::vector<DeviceNumber>& meters) {
    return connection_.run("counting meters by feeder", [&](soci::session& sql) {
        std::vector<std::pair<std::optional<std::string>, int>> found;
        const auto list = array_text(meters);
        const soci::rowset<soci::row> rows =
            (sql.prepare
                 << "select n.number, count(*)::int from meter m left join meter_feeder f on f.meter = m.id "
                    "left join network_node n on n.id = f.feeder where m.number = any(cast(:list as "
                    "bigint[])) "
                    "group by n.number order by 2 desc, 1",
             use(list));
        for (const auto& row : rows) {
            std::optional<std::string> feeder;
            if (row.get_indicator(0) == soci::i_ok) feeder = row.get<std::string>(0);
            found.emplace_back(std::move(feeder), row.get<int>(1));
        }
        return found;
    });
}

std::optional<std::string> RelayRules::refusal(DeviceNumber meter, bool disconnects) {
    return connection_.run(
        "asking whether a meter may be switched", [&](soci::session& sql) -> std::optional<std::string> {
            int is_protected = 0, is_stopped = 0;
            sql << "select (m.protected_why is not null or m.role = 1)::int, (s.tenant is not "
                   "null)::int from meter m left join relay_stop s "
                   "on s.tenant = m.tenant where m.number = :number",
                use(meter), soci::into(is_protected), soci::into(is_stopped);
            if (!sql.got_data()) return "unknown_meter";
            if (is_stopped != 0) return "stopped";
            if (disconnects && is_protected != 0) return "protected";
            return std::nullopt;
        });
}

}  // namespace wattmesh::headend::database
