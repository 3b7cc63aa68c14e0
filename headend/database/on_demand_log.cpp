#include "headend/database/on_demand_log.h"

#include "headend/database/bindings.h"

namespace wattmesh::headend::database {

std::optional<OnDemandId> OnDemandLog::begin(DeviceNumber meter, const ObisCode& object, int attribute,
                                             const std::string& requested_by, Instant now) {
    return connection_.run("logging an on-demand read", [&](soci::session& sql) -> std::optional<OnDemandId> {
        OnDemandId id;
        sql << "insert into on_demand (meter, tenant, area, object, attribute, requested_by, requested_us, "
               "outcome, value) "
               "select id, tenant, area, :object, :attribute, :by, :now, 'running', '' from meter where "
               "number = :meter "
               "returning id",
            use(object), use(attribute), use(requested_by), use(now), use(meter), soci::into(id);
        if (!sql.got_data()) return std::nullopt;
        return id;
    });
}

void OnDemandLog::finish(OnDemandId id, Instant now, const std::string& outcome, const std::string& value) {
    connection_.run("finishing an on-demand read", [&](soci::session& sql) {
        sql << "update on_demand set finished_us = :now, outcome = :outcome, value = :value where id = :id",
            use(now), use(outcome), use(value), use(id);
    });
}

std::vector<OnDemandRecord> OnDemandLog::latest(int count) {
    return connection_.run("listing on-demand reads", [&](soci::session& sql) {
        std::vector<OnDemandRecord> found;
        const soci::rowset<soci::row> rows =
            (sql.prepare << "select o.id, m.number, o.object, o.attribute, o.requested_by, o.requested_us, "
                            "o.finished_us, "
                            "o.outcome, o.value from on_demand o join meter m on m.id = o.meter "
                            "order by o.requested_us desc, o.id desc limit :count",
             use(count));
        for (const auto& row : rows)
            found.push_back({row.get<OnDemandId>(0), row.get<DeviceNumber>(1), row.get<ObisCode>(2),
                             row.get<int>(3), row.get<std::string>(4), row.get<Instant>(5),
                             row.get<std::optional<Instant>>(6), row.get<std::string>(7),
                             row.get<std::string>(8)});
        return found;
    });
}

void OnDemandLog::put(const RegisterReading& reading) {
    connection_.run("storing a register reading", [&](soci::session& sql) {
        const long long value = reading.value;
        sql << "insert into register_reading (meter, register, at_us, source, tenant, area, value, scaler, "
               "unit) "
               "select id, :register, :at, :source, tenant, area, :value, :scaler, :unit from meter where id "
               "= :meter "
               "on conflict do nothing",
            use(reading.register_), use(reading.at), use(reading.source), use(value), use(reading.scaler),
            use(reading.unit), use(reading.meter);
    });
}

}  // namespace wattmesh::headend::database
