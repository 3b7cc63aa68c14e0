#include "headend/database/meters.h"

#include "headend/database/bindings.h"

namespace wattmesh::headend::database {
namespace {

constexpr const char* columns =
    "select m.id, m.number, m.tenant, m.area, m.model, k.reading_keys, m.role, m.concentrator, c.number, "
    "m.installed_us "
    "from meter m join meter_model k on k.name = m.model left join concentrator c on c.id = m.concentrator";

ReadingKeys reading_keys_of(const std::string& word) {
    if (word == "separate") return ReadingKeys::separate;
    return word == "shared" ? ReadingKeys::shared : ReadingKeys::local_only;
}

Meter meter_of(const soci::row& row) {
    return {.id = row.get<MeterId>(0),
            .number = row.get<DeviceNumber>(1),
            .tenant = row.get<TenantId>(2),
            .area = row.get<AreaId>(3),
            .model = row.get<std::string>(4),
            .reading_keys = reading_keys_of(row.get<std::string>(5)),
            .role = static_cast<dcu::MeterRole>(row.get<int>(6)),
            .concentrator = row.get<std::optional<ConcentratorId>>(7),
            .concentrator_number = row.get<std::optional<DeviceNumber>>(8),
            .installed = row.get<Instant>(9)};
}

std::vector<Meter> meters_of(const soci::rowset<soci::row>& rows) {
    std::vector<Meter> found;
    for (const auto& row : rows) found.push_back(meter_of(row));
    return found;
}

}  // namespace

bool Meters::put(const NewMeter& meter) {
    return connection_.run("registering a meter", [&](soci::session& sql) {
        const auto role = static_cast<int>(meter.role);
        int added = 0;
        // xmax is 0 only in a row version that an insert made. The installation date of a known meter stays.
        sql << "insert into meter as old (tenant, area, number, model, role, concentrator, installed_us) "
               "values (1, 1, :number, :model, :role, :concentrator, :installed) on conflict (number) do "
               "update "
               "set model = excluded.model, role = excluded.role, concentrator = excluded.concentrator "
               "returning (xmax = 0)::int",
            use(meter.number), use(meter.model), use(role), use(meter.concentrator), use(meter.installed),
            soci::into(added);
        return added == 1;
    });
}

std::optional<Meter> Meters::find(DeviceNumber number) {
    return connection_.run("finding a meter", [&](soci::session& sql) -> std::optional<Meter> {
        const soci::rowset<soci::row> rows =
            (sql.prepare << std::string{columns} + " where m.number = :number", use(number));
        for (const auto& row : rows) return meter_of(row);
        return std::nullopt;
    });
}

std::vector<Meter> Meters::all() {
    return connection_.run("listing meters", [&](soci::session& sql) {
        return meters_of((sql.prepare << std::string{columns} + " order by m.number"));
    });
}

std::vector<Meter> Meters::of(ConcentratorId concentrator) {
    return connection_.run("listing a concentrator's meters", [&](soci::session& sql) {
        return meters_of(
            (sql.prepare << std::string{columns} + " where m.concentrator = :id order by m.number",
             use(concentrator)));
    });
}

dcu::MeterList Meters::listed(ConcentratorId concentrator) {
    dcu::MeterList list;
    for (const auto& meter : of(concentrator)) list.meters.push_back({meter.number, meter.role});
    return list;
}

}  // namespace wattmesh::headend::database
