#include "headend/database/bus_units.h"

#include <map>

#include "headend/database/bindings.h"

namespace wattmesh::headend::database {
namespace {

constexpr int load_bank = 1, daily_bank = 2, polled_bank = 3, curve_bank = 4;

/// Channels of the models, by model and bank.
std::map<std::pair<std::string, int>, std::vector<BusChannel>> channels(soci::session& sql, Instant now) {
    std::map<std::pair<std::string, int>, std::vector<BusChannel>> found;
    const soci::rowset<soci::row> rows =
        (sql.prepare << "select map.model, map.bank::int, map.channel::int, map.register, map.scaler::int, "
                        "map.unit::int from channel_map map join meter_model k on k.name = map.model "
                        "where k.reading_keys = 'none' and map.valid_from_us <= :now and map.valid_to_us > "
                        ":now2 order by map.channel",
         use(now), use(now));
    for (const auto& row : rows)
        found[{row.get<std::string>(0), row.get<int>(1)}].push_back(
            {row.get<int>(2), row.get<ObisCode>(3), row.get<int>(4), row.get<int>(5)});
    return found;
}

std::optional<dcu::IntervalRow> newest_polled(soci::session& sql, MeterId meter, Instant now) {
    const Instant since = now - std::chrono::hours{24};
    const int bank = polled_bank;
    const soci::rowset<soci::row> rows =
        (sql.prepare << "select at_us, v1, v2, v3, v4, v5, v6, v7, v8 from interval_row where meter = :meter "
                        "and bank = :bank and at_us > :since order by at_us desc limit 1",
         use(meter), use(bank), use(since));
    for (const auto& row : rows) {
        dcu::IntervalRow last{.at = row.get<Instant>(0), .status = 0, .channels = 8};
        for (std::size_t i = 0; i < last.values.size(); ++i)
            if (row.get_indicator(1 + i) != soci::i_null) last.values[i] = row.get<long long>(1 + i);
        return last;
    }
    return std::nullopt;
}

}  // namespace

std::optional<BusPlace> BusUnits::find(MeterId meter) {
    return connection_.run("finding a meter on its bus", [&](soci::session& sql) -> std::optional<BusPlace> {
        const soci::rowset<soci::row> rows =
            (sql.prepare << "select unit::int, word_order, base::int from bus_unit where meter = :meter",
             use(meter));
        for (const auto& row : rows)
            return BusPlace{row.get<int>(0), row.get<std::optional<std::string>>(1),
                            row.get<std::optional<int>>(2)};
        return std::nullopt;
    });
}

std::optional<DeviceNumber> BusUnits::who(ConcentratorId bus, int unit) {
    return connection_.run("finding a unit", [&](soci::session& sql) -> std::optional<DeviceNumber> {
        const soci::rowset<soci::row> rows =
            (sql.prepare << "select m.number from bus_unit u join meter m on m.id = u.meter where "
                            "u.concentrator = :bus and u.unit = :unit",
             use(bus), use(unit));
        for (const auto& row : rows) return row.get<DeviceNumber>(0);
        return std::nullopt;
    });
}

void BusUnits::put(MeterId meter, ConcentratorId bus, const BusPlace& place) {
    connection_.run("placing a meter on a bus", [&](soci::session& sql) {
        sql << "insert into bus_unit (meter, concentrator, unit, word_order, base) values (:meter, :bus, "
               ":unit, :order, :base) on conflict (meter) do update set concentrator = "
               "excluded.concentrator, unit = excluded.unit, word_order = excluded.word_order, base = "
               "excluded.base",
            use(meter), use(bus), use(place.unit), use(place.order), use(place.base);
    });
}

std::optional<std::string> BusUnits::address(ConcentratorId bus) {
    return connection_.run("finding a bus", [&](soci::session& sql) {
        std::optional<std::string> found;
        sql << "select dial from concentrator where id = :id", use(bus), soci::into(found);
        return found;
    });
}

void BusUnits::set_address(ConcentratorId bus, const std::optional<std::string>& address) {
    connection_.run("setting a bus's address", [&](soci::session& sql) {
        sql << "update concentrator set dial = :dial where id = :id", use(address), use(bus);
    });
}

std::optional<std::string> BusUnits::map_of(const std::string& model) {
    return connection_.run("finding a model's register map", [&](soci::session& sql) {
        std::optional<std::string> found;
        sql << "select modbus_map from meter_model where name = :name", use(model), soci::into(found);
        return found;
    });
}

std::vector<BusMeter> BusUnits::of(DeviceNumber bus, Instant now) {
    return connection_.run("listing the meters of a bus", [&](soci::session& sql) {
        const auto known = channels(sql, now);
        const auto of_model = [&](const std::string& model, int bank) {
            const auto found = known.find({model, bank});
            return found == known.end() ? std::vector<BusChannel>{} : found->second;
        };
        std::vector<BusMeter> meters;
        std::vector<MeterId> ids;
        {
            const soci::rowset<soci::row> rows =
                (sql.prepare << "select m.number, u.unit::int, u.word_order, u.base::int, "
                                "coalesce(k.modbus_map, ''), "
                                "m.model, m.id from bus_unit u join meter m on m.id = u.meter join "
                                "meter_model k on k.name = m.model join concentrator c on c.id = "
                                "u.concentrator where c.number = :bus and k.reading_keys = 'none' order by "
                                "u.unit",
                 use(bus));
            for (const auto& row : rows) {
                const auto model = row.get<std::string>(5);
                meters.push_back({.number = row.get<DeviceNumber>(0),
                                  .place = {row.get<int>(1), row.get<std::optional<std::string>>(2),
                                            row.get<std::optional<int>>(3)},
                                  .map = row.get<std::string>(4),
                                  .interval = of_model(model, load_bank),
                                  .polled = of_model(model, polled_bank),
                                  .last = {},
                                  .daily = of_model(model, daily_bank),
                                  .curve = of_model(model, curve_bank)});
                ids.push_back(row.get<MeterId>(6));
            }
        }
        for (std::size_t i = 0; i < meters.size(); ++i) meters[i].last = newest_polled(sql, ids[i], now);
        return meters;
    });
}

std::vector<DialledBus> BusUnits::dialled() {
    return connection_.run("listing the buses that are called", [&](soci::session& sql) {
        std::vector<DialledBus> found;
        const soci::rowset<soci::row> rows =
            (sql.prepare << "select number, dial from concentrator where dial is not null and state <> 2 "
                            "order by number");
        for (const auto& row : rows) found.push_back({row.get<DeviceNumber>(0), row.get<std::string>(1)});
        return found;
    });
}

}  // namespace wattmesh::headend::database
