#include "headend/database/cim_dialects.h"

#include "headend/database/bindings.h"

namespace wattmesh::headend::database {

std::string to_string(const CimDialect& dialect) {
    std::string text = std::string{dialect.stamp_is_end ? "end" : "start"} + ", " +
                       (dialect.energy_multiplier == 0 ? "Wh" : "kWh") + ", " + dialect.zone;
    for (const auto& address : dialect.reply_to) text += ", replies to " + address;
    for (const auto* codes : {&dialect.readings, &dialect.controls, &dialect.events})
        for (const auto& [name, code] : *codes) text.append(", ").append(name).append("=").append(code);
    return text;
}

void CimDialects::put(ContractId contract, const CimDialect& dialect) {
    connection_.run("storing a dialect", [&](soci::session& sql) {
        const std::string stamp = dialect.stamp_is_end ? "end" : "start";
        const auto addresses = array_text(dialect.reply_to);
        sql << "insert into cim_dialect (contract, stamp, multiplier, zone, reply_to) values (:contract, "
               ":stamp, :multiplier, :zone, cast(:addresses as text[])) on conflict (contract) do update set "
               "stamp = excluded.stamp, multiplier = excluded.multiplier, zone = excluded.zone, reply_to = "
               "excluded.reply_to",
            use(contract), use(stamp), use(dialect.energy_multiplier), use(dialect.zone), use(addresses);
        sql << "delete from cim_alias where contract = :contract", use(contract);
        const auto add = [&](const std::string& kind, const std::map<std::string, std::string>& codes) {
            for (const auto& [name, code] : codes)
                sql << "insert into cim_alias (contract, kind, name, code) values (:contract, :kind, :name, "
                       ":code)",
                    use(contract), use(kind), use(name), use(code);
        };
        add("reading", dialect.readings);
        add("control", dialect.controls);
        add("event", dialect.events);
    });
}

CimDialect CimDialects::of(ContractId contract) {
    return connection_.run("reading a dialect", [&](soci::session& sql) {
        CimDialect dialect;
        const soci::rowset<soci::row> rows =
            (sql.prepare << "select stamp, multiplier::int, zone, reply_to::text from cim_dialect where "
                            "contract = :contract",
             use(contract));
        for (const auto& row : rows) {
            dialect.stamp_is_end = row.get<std::string>(0) == "end";
            dialect.energy_multiplier = row.get<int>(1);
            dialect.zone = row.get<std::string>(2);
            dialect.reply_to = array_words(row.get<std::string>(3));
        }
        const soci::rowset<soci::row> codes =
            (sql.prepare << "select kind, name, code from cim_alias where contract = :contract",
             use(contract));
        for (const auto& row : codes) {
            const auto kind = row.get<std::string>(0);
            auto& of_kind = kind == "reading"   ? dialect.readings
                            : kind == "control" ? dialect.controls
                                                : dialect.events;
            of_kind[row.get<std::string>(1)] = row.get<std::string>(2);
        }
        return dialect;
    });
}

std::map<std::string, CimControl> CimDialects::controls() {
    return connection_.run("listing controls", [&](soci::session& sql) {
        std::map<std::string, CimControl> found;
        const soci::rowset<soci::row> rows =
            (sql.prepare << "select name, code, done, failed from cim_control");
        for (const auto& row : rows)
            found[row.get<std::string>(0)] = {row.get<std::string>(1), row.get<std::string>(2),
                                              row.get<std::string>(3)};
        return found;
    });
}

bool CimDialects::knows_zone(const std::string& zone) {
    return connection_.run("looking for a time zone", [&](soci::session& sql) {
        int known = 0;
        sql << "select count(*)::int from pg_timezone_names where name = :zone", use(zone), soci::into(known);
        return known > 0;
    });
}

std::vector<ZoneOffset> CimDialects::offsets(const std::string& zone, Instant from, Instant to) {
    if (zone == "UTC") return {{from, 0}};
    return connection_.run("looking up a time zone", [&](soci::session& sql) {
        std::vector<ZoneOffset> found;
        // Clocks change at whole and half hours of UTC.
        const soci::rowset<soci::row> rows =
            (sql.prepare
                 << "select at_us, offset_s from (select at_us, offset_s, lag(offset_s) over (order by "
                    "at_us) "
                    "as before from (select greatest(g, cast(:from as bigint)) as at_us, extract(epoch from "
                    "(to_timestamp(g / 1000000) at time zone cast(:zone as text)) - (to_timestamp(g / "
                    "1000000) at time zone 'UTC'))::int as offset_s from generate_series(cast(:from as "
                    "bigint) - cast(:from as bigint) % 1800000000, cast(:to as bigint), 1800000000) g) z) y "
                    "where before is distinct from offset_s order by at_us",
             soci::use(from, "from"), soci::use(zone, "zone"), soci::use(to, "to"));
        for (const auto& row : rows) found.push_back({row.get<Instant>(0), row.get<int>(1)});
        return found;
    });
}

}  // namespace wattmesh::headend::database
