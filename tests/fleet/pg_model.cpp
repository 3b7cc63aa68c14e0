#include "tests/fleet/pg_model.h"

#include <soci/soci.h>

#include "headend/database/concentrators.h"
#include "headend/database/cursors.h"
#include "headend/database/meters.h"

namespace wattmesh::fleet {

using namespace headend::database;
using namespace headend::frontend;

PostgresModel::PostgresModel(const Scene& scene)
    : admin_(database_.settings()), frontend_(database_.settings("wm_frontend")) {
    Concentrators concentrators{admin_};
    Meters meters{admin_};
    for (const auto& number : scene.town.concentrators)
        concentrators.add(number, to_string(number), Instant{});
    for (const auto& meter : scene.town.meters) {
        NewMeter registered;
        registered.number = meter.number;
        registered.installed = history_from;
        registered.role =
            meter.kind == sim::LoadKind::summary ? dcu::MeterRole::summary : dcu::MeterRole::customer;
        registered.concentrator = concentrators.find(meter.concentrator)->id;
        meters.put(registered);
    }
}

SessionOpened PostgresModel::open_session(DeviceNumber concentrator, Instant now) {
    const auto grant = Concentrators{frontend_}.open_session(concentrator, now);
    return {Standing::known, grant.value().epoch};
}

Sequence PostgresModel::cursor(const JournalId& journal, DeviceNumber concentrator) {
    const auto id = Concentrators{frontend_}.find(concentrator)->id;
    return Cursors{frontend_}.find(id, journal);
}

StoreOutcome PostgresModel::store(const Batch& batch) { return writer_.store(frontend_, batch).outcome; }

StoredRows PostgresModel::rows() {
    return admin_.run("reading the fleet's rows", [](soci::session& sql) {
        StoredRows rows;
        const soci::rowset<soci::row> found =
            (sql.prepare << "select lpad(m.number::text, 12, '0'), r.at_us, r.status, r.v1, r.v2, r.v3, r.v4 "
                            "from interval_row r join meter m on m.id = r.meter");
        for (const auto& line : found) {
            dcu::IntervalRow row;
            row.at = from_epoch_us(line.get<long long>(1));
            row.status = static_cast<std::uint8_t>(line.get<int>(2));
            row.channels = 4;
            for (std::size_t channel = 0; channel < 4; ++channel)
                if (line.get_indicator(3 + channel) == soci::i_ok)
                    row.values[channel] = line.get<long long>(3 + channel);
            rows.emplace(RowKey{DeviceNumber::parse(line.get<std::string>(0)).value(), row.at}, row);
        }
        return rows;
    });
}

std::uint64_t PostgresModel::count(const std::string& table) {
    return admin_.run("counting in the fleet", [&](soci::session& sql) {
        long long found = 0;
        sql << "select count(*) from " + table, soci::into(found);
        return static_cast<std::uint64_t>(found);
    });
}

dcu::MeterList PostgresModel::list(DeviceNumber concentrator) {
    return Meters{admin_}.listed(Concentrators{admin_}.find(concentrator)->id);
}

std::uint64_t PostgresModel::conflicts() { return count("reading_conflict"); }
std::uint64_t PostgresModel::rejected() { return count("rejected_entry"); }

}  // namespace wattmesh::fleet
