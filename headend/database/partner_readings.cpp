#include "headend/database/partner_readings.h"

#include <algorithm>
#include <map>

#include "headend/database/binary_rows.h"
#include "headend/database/bindings.h"

namespace wattmesh::headend::database {
namespace {

constexpr int value_column = 4;

std::string ids_text(const std::vector<ReadingMeter>& meters) {
    std::vector<std::int64_t> ids;
    ids.reserve(meters.size());
    for (const auto& meter : meters) ids.push_back(meter.id);
    return array_text(ids);
}

/// The instants stand in the text: so the planner leaves out the days that are not asked for.
std::string between(const char* column, Instant from, Instant to) {
    return std::string{column} + " > " + std::to_string(epoch_us(from)) + " and " + column +
           " <= " + std::to_string(epoch_us(to));
}

/// Rows of one meter.
struct Run {
    std::size_t meter = 0;
    int first = 0, end = 0;
};

std::map<std::int64_t, std::size_t> places_of(const std::vector<ReadingMeter>& meters) {
    std::map<std::int64_t, std::size_t> places;
    for (std::size_t i = 0; i < meters.size(); ++i) places[meters[i].id] = i;
    return places;
}

}  // namespace

std::vector<ReadingBank> PartnerReadings::banks() {
    return connection_.run("listing profiles", [&](soci::session& sql) {
        std::vector<ReadingBank> found;
        const soci::rowset<soci::row> rows =
            (sql.prepare << "select id::int, profile, period_s, kind from bank order by id");
        for (const auto& row : rows)
            found.push_back({.id = row.get<int>(0),
                             .profile = row.get<ObisCode>(1),
                             .period_s = row.get<int>(2),
                             .adds_up = row.get<std::string>(3) == "interval"});
        return found;
    });
}

std::optional<ReadingBank> PartnerReadings::bank(const ObisCode& profile) {
    for (auto& bank : banks())
        if (bank.profile == profile) return bank;
    return std::nullopt;
}

std::vector<ReadingChannel> PartnerReadings::channels(const ReadingBank& bank) {
    return connection_.run("reading what profiles hold", [&](soci::session& sql) {
        std::vector<ReadingChannel> found;
        const soci::rowset<soci::row> rows =
            (sql.prepare << "select model, channel::int, register, scaler::int, unit::int, valid_from_us, "
                            "valid_to_us from channel_map where bank = :bank order by model, channel, "
                            "valid_from_us",
             use(bank.id));
        for (const auto& row : rows)
            found.push_back({.model = row.get<std::string>(0),
                             .channel = row.get<int>(1),
                             .register_ = row.get<ObisCode>(2),
                             .scaler = row.get<int>(3),
                             .unit = row.get<int>(4),
                             .valid_from = row.get<Instant>(5),
                             .valid_to = row.get<Instant>(6)});
        return found;
    });
}

std::vector<ReadingMeter> PartnerReadings::meters(const std::vector<DeviceNumber>& numbers,
                                                  std::optional<DeviceNumber> after, int count_max) {
    const BinaryRows rows{
        connection_,
        "select id, number, model from meter where number > $1" +
            (numbers.empty() ? std::string{} : " and number = any ('" + array_text(numbers) + "')") +
            " order by number limit $2",
        {after ? number_of(*after) : -1, count_max},
        "listing the meters whose readings are wanted"};
    std::vector<ReadingMeter> found;
    found.reserve(static_cast<std::size_t>(rows.size()));
    for (int i = 0; i < rows.size(); ++i)
        found.push_back(
            {rows.integer(i, 0), device_number(rows.integer(i, 1)), std::string{rows.text(i, 2)}});
    return found;
}

std::vector<ReadingRow> PartnerReadings::rows(const std::vector<ReadingMeter>& meters,
                                              const ReadingBank& bank, Instant from, Instant to,
                                              std::int64_t most) {
    std::vector<ReadingRow> found;
    if (meters.empty()) return found;
    const BinaryRows rows{
        connection_,
        "select meter, at_us, status, quality, v1, v2, v3, v4, v5, v6, v7, v8 from interval_row "
        "where meter = any ('" +
            ids_text(meters) + "') and bank = $1 and " + between("at_us", from, to) +
            " order by meter, at_us limit $2",
        {bank.id, most},
        "reading intervals for a partner"};
    // Ids are not in the order of numbers: a meter's rows are put where its number is.
    const auto places = places_of(meters);
    std::vector<Run> runs;
    for (int i = 0; i < rows.size();) {
        const auto id = rows.integer(i, 0);
        const int first = i;
        while (i < rows.size() && rows.integer(i, 0) == id) ++i;
        runs.push_back({places.at(id), first, i});
    }
    std::sort(runs.begin(), runs.end(), [](const Run& a, const Run& b) { return a.meter < b.meter; });
    found.resize(static_cast<std::size_t>(rows.size()));
    auto row = found.begin();
    for (const auto& run : runs)
        for (int i = run.first; i < run.end; ++i, ++row) {
            row->meter = run.meter;
            row->at = from_epoch_us(rows.integer(i, 1));
            row->status = static_cast<int>(rows.integer(i, 2));
            row->quality = static_cast<std::uint64_t>(rows.integer(i, 3));
            for (int channel = 0; channel < 8; ++channel)
                row->values[static_cast<std::size_t>(channel)] = rows.maybe(i, value_column + channel);
        }
    return found;
}

std::vector<ReadingFinding> PartnerReadings::findings(const std::vector<ReadingMeter>& meters,
                                                      const ReadingBank& bank, Instant from, Instant to) {
    std::vector<ReadingFinding> found;
    if (meters.empty()) return found;
    const BinaryRows rows{
        connection_,
        "select meter, first_us, last_us, quality from validation_finding where meter = any ('" +
            ids_text(meters) +
            "') and bank = $1 and verdict = 'fail' and last_us > $2 and first_us <= $3 order by "
            "meter, first_us, quality",
        {bank.id, epoch_us(from), epoch_us(to)},
        "reading what rules say of a partner's intervals"};
    const auto places = places_of(meters);
    for (int i = 0; i < rows.size(); ++i)
        found.push_back({places.at(rows.integer(i, 0)), from_epoch_us(rows.integer(i, 1)),
                         from_epoch_us(rows.integer(i, 2)), std::string{rows.text(i, 3)}});
    return found;
}

std::optional<OnDemandValue> PartnerReadings::on_demand(DeviceNumber meter, const ObisCode& register_,
                                                        Instant since) {
    return connection_.run("looking for a reading", [&](soci::session& sql) -> std::optional<OnDemandValue> {
        const soci::rowset<soci::row> rows =
            (sql.prepare << "select r.at_us, r.value, r.scaler::int, r.unit::int from register_reading r "
                            "join meter m on m.id = r.meter where m.number = :meter and r.register = "
                            ":register and r.source = 'on_demand' and r.at_us >= :since order by r.at_us "
                            "desc limit 1",
             use(meter), use(register_), use(since));
        for (const auto& row : rows)
            return OnDemandValue{row.get<Instant>(0), row.get<long long>(1), row.get<int>(2),
                                 row.get<int>(3)};
        return std::nullopt;
    });
}

std::optional<DeviceNumber> PartnerReadings::meter_at(const std::string& usage_point, Instant now) {
    return connection_.run("looking for a usage point", [&](soci::session& sql) {
        std::optional<DeviceNumber> found;
        sql << "select m.number from network_node n join meter_installation i on i.node = n.id join meter m "
               "on m.id = i.meter where n.kind = 4 and n.number = :point and i.from_us <= :now and i.to_us > "
               ":now2",
            use(usage_point), use(now), use(now), soci::into(found);
        return found;
    });
}

}  // namespace wattmesh::headend::database
