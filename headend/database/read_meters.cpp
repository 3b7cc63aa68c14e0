#include "headend/database/read_meters.h"

#include <algorithm>

#include "headend/database/binary_rows.h"
#include "headend/database/bindings.h"

namespace wattmesh::headend::database {
namespace {

constexpr int no_limit = 1'000'000;

template <class T>
std::optional<T> maybe(const soci::row& row, std::size_t column) {
    if (row.get_indicator(column) == soci::i_null) return std::nullopt;
    return row.get<T>(column);
}
std::optional<DeviceNumber> parent_of(const soci::row& row, std::size_t column) {
    const auto number = row.get<long long>(column, 0);
    return number == 0 ? std::nullopt : std::optional{device_number(number)};
}

MeterLine line_of(const soci::row& row) {
    MeterLine line{.id = row.get<MeterId>(0),
                   .number = row.get<DeviceNumber>(1),
                   .role = static_cast<dcu::MeterRole>(row.get<int>(2)),
                   .model = row.get<std::string>(3),
                   .concentrator = row.get<std::optional<DeviceNumber>>(4),
                   .reached_over = row.get<std::optional<DeviceNumber>>(15),
                   .place = {},
                   .last_interval = row.get<std::optional<Instant>>(10),
                   .direct = row.get<int>(13, 0) != 0,
                   .online = row.get<int>(14, 0) != 0};
    if (row.get_indicator(5) == soci::i_null) return line;
    line.place = {.known = true,
                  .joined = row.get<int>(5) == static_cast<int>(dcu::EntryKind::meter_joined),
                  .hops = row.get<int>(6, 0),
                  .parent = parent_of(row, 7),
                  .rssi_dbm = maybe<int>(row, 8),
                  .at = row.get<Instant>(9),
                  .sub_address = maybe<int>(row, 11),
                  .dark = row.get<int>(12, 0) != 0};
    return line;
}

/// The open days are looked up in the intervals themselves: meter_latest lags by its worker.
constexpr const char* meter_lines =
    "select m.id, m.number, m.role, m.model, c.number, l.kind, l.hops, l.parent, l.rssi_dbm, l.at_us, "
    "coalesce((select max(r.at_us) from interval_row r where r.meter = m.id and r.bank = 1 and r.at_us > "
    "cast(:recent as bigint) "
    "and r.at_us <= cast(:now as bigint)), (select n.at_us from meter_latest n where n.meter = m.id and "
    "n.bank = 1)), l.sub_address::int, w.dark::int, (c.road = 1)::int, c.link, (select h.number from "
    "meter_lease x join concentrator h on h.id = "
    "x.concentrator where x.meter = m.id and x.concentrator <> m.concentrator) "
    "from (select * from meter m where ";
/// The meters first, then what is looked up of each.
constexpr const char* meter_details =
    " order by m.number limit :count) m left join concentrator c on c.id = m.concentrator "
    "left join lateral (select e.kind, e.hops, e.parent, e.rssi_dbm, e.at_us, e.sub_address from event e "
    "where e.meter_number = m.number and e.kind in (3, 4) and (e.kind = 3 or not exists (select 1 from "
    "meter_lease x where x.meter = m.id and x.concentrator <> e.concentrator)) order by e.at_us desc, "
    "e.sequence desc limit 1) l "
    "on true left join lateral (select e.kind = 10 as dark from event e where e.meter_number = m.number and "
    "e.kind in (3, 10, 11) order by e.at_us desc, e.sequence desc limit 1) w on true order by m.number";

constexpr const char* digits_match = "lpad(m.number::text, 12, '0') like '%";

}  // namespace

std::vector<MeterLine> MeterReader::lines(const std::string& condition, int count_max, Instant now) {
    return connection_.run("listing meters", [&](soci::session& sql) {
        std::vector<MeterLine> found;
        const auto recent = now - std::chrono::days{2};
        const soci::rowset<soci::row> rows =
            (sql.prepare << meter_lines + condition + meter_details, soci::use(recent, "recent"),
             soci::use(now, "now"), soci::use(count_max, "count"));
        for (const auto& row : rows) found.push_back(line_of(row));
        return found;
    });
}

MeterPage MeterReader::page(const std::string& digits, std::optional<DeviceNumber> cursor, int count_max,
                            Instant now) {
    // The digits stand in the text: the planner has to know how rare they are.
    if (!std::all_of(digits.begin(), digits.end(), [](char c) { return c >= '0' && c <= '9'; })) return {};
    const auto match = digits.empty() ? std::string{"true"} : digits_match + digits + "%'";
    MeterPage page;
    page.meters =
        lines(match + " and m.number > " + std::to_string(cursor ? number_of(*cursor) : -1), count_max, now);
    page.total = connection_.run("counting meters", [&](soci::session& sql) {
        long long total = 0;
        sql << "select count(*) from (select from meter m where " + match + " limit " +
                   std::to_string(page_total_max) + ") found",
            soci::into(total);
        return total;
    });
    return page;
}

std::optional<MeterLine> MeterReader::find(DeviceNumber number, Instant now) {
    auto found = lines("m.number = " + std::to_string(number_of(number)), 1, now);
    if (found.empty()) return std::nullopt;
    return std::move(found.front());
}

std::vector<MeterLine> MeterReader::of(ConcentratorId concentrator, Instant now) {
    const auto id = std::to_string(concentrator.value);
    return lines(
        "m.id in (select y.id from meter y left join meter_lease x on x.meter = y.id where y.concentrator "
        "= " +
            id +
            " and coalesce(x.concentrator, y.concentrator) = y.concentrator union select x.meter from "
            "meter_lease x "
            "where x.concentrator = " +
            id + ")",
        no_limit, now);
}

std::vector<ChannelLine> MeterReader::channels(MeterId meter, const ObisCode& profile, Instant now) {
    return connection_.run("reading a meter's channels", [&](soci::session& sql) {
        std::vector<ChannelLine> found;
        const soci::rowset<soci::row> rows =
            (sql.prepare << "select k.channel, k.register, k.scaler, k.unit from meter m join channel_map k "
                            "on k.model = m.model "
                            "join bank b on b.id = k.bank where m.id = :meter and b.profile = :profile "
                            "and cast(:now as bigint) >= k.valid_from_us and cast(:now as bigint) < "
                            "k.valid_to_us order by k.channel",
             soci::use(meter, "meter"), soci::use(profile, "profile"), soci::use(now, "now"));
        for (const auto& row : rows)
            found.push_back({row.get<int>(0), row.get<ObisCode>(1), row.get<int>(2), row.get<int>(3)});
        return found;
    });
}

std::vector<LatestValue> MeterReader::latest(MeterId meter) {
    return connection_.run("reading a meter's last values", [&](soci::session& sql) {
        std::vector<LatestValue> found;
        const soci::rowset<soci::row> rows =
            (sql.prepare << "select * from (select distinct on (r.register) r.register, r.value, "
                            "r.scaler::int, r.unit::int, r.at_us, 0, "
                            "r.source, 0 from register_reading r where r.meter = :meter order by r.register, "
                            "r.at_us desc) readings "
                            "union all "
                            "select k.register, v.value, k.scaler::int, k.unit::int, n.at_us, "
                            "((n.quality >> (8 * (k.channel - 1))) & 255)::int, b.name, case b.kind when "
                            "'interval' then b.period_s else 0 end "
                            "from meter_latest n join meter m on m.id = n.meter join bank b on b.id = n.bank "
                            "join channel_map k on k.model = m.model and k.bank = n.bank and n.at_us >= "
                            "k.valid_from_us "
                            "and n.at_us < k.valid_to_us "
                            "cross join lateral (select (array[n.v1, n.v2, n.v3, n.v4, n.v5, n.v6, n.v7, "
                            "n.v8])[k.channel] as value) v "
                            "where n.meter = :meter and v.value is not null",
             soci::use(meter, "meter"));
        for (const auto& row : rows)
            found.push_back({.register_ = row.get<ObisCode>(0),
                             .value = row.get<long long>(1),
                             .scaler = row.get<int>(2),
                             .unit = row.get<int>(3),
                             .at = row.get<Instant>(4),
                             .quality = row.get<int>(5),
                             .source = row.get<std::string>(6),
                             .period_s = row.get<int>(7)});
        return found;
    });
}

std::optional<Curve> MeterReader::curve(MeterId meter, const ObisCode& profile, int channel, Instant from,
                                        Instant to) {
    auto found = curves(meter, profile, {channel}, from, to);
    if (found.empty()) return std::nullopt;
    return std::move(found.front());
}

std::vector<Curve> MeterReader::curves(MeterId meter, const ObisCode& profile,
                                       const std::vector<int>& channels, Instant from, Instant to) {
    std::vector<Curve> found;
    found.reserve(channels.size());
    const auto known = this->channels(meter, profile, from);
    std::string columns;
    for (const int channel : channels) {
        const auto line = std::find_if(known.begin(), known.end(),
                                       [&](const auto& candidate) { return candidate.channel == channel; });
        if (line == known.end()) continue;
        found.push_back({.period_s = 0, .channel = *line, .at = {}, .value = {}, .quality = {}});
        columns += ", r.v" + std::to_string(channel);
    }
    if (found.empty()) return found;
    int bank = 0, period_s = 0;
    connection_.run("looking up a profile", [&](soci::session& sql) {
        sql << "select id::int, period_s from bank where profile = :profile", soci::use(profile),
            soci::into(bank), soci::into(period_s);
    });
    // The instants stand in the text: so the planner leaves out the days that are not asked for.
    const BinaryRows rows{connection_,
                          "select r.at_us, r.quality" + columns +
                              " from interval_row r where r.meter = $1 and r.bank = $2 and r.at_us > " +
                              std::to_string(epoch_us(from)) +
                              " and r.at_us <= " + std::to_string(epoch_us(to)) + " order by r.at_us",
                          {meter.value, bank},
                          "reading load curves"};
    const auto size = static_cast<std::size_t>(rows.size());
    for (std::size_t i = 0; i < found.size(); ++i) {
        auto& curve = found[i];
        curve.period_s = period_s;
        curve.at.reserve(size);
        curve.value.reserve(size);
        curve.quality.reserve(size);
        const int shift = 8 * (curve.channel.channel - 1);
        for (int row = 0; row < rows.size(); ++row) {
            curve.at.push_back(from_epoch_us(rows.integer(row, 0)));
            curve.value.push_back(rows.maybe(row, 2 + static_cast<int>(i)));
            curve.quality.push_back(
                static_cast<int>(static_cast<std::uint64_t>(rows.integer(row, 1)) >> shift & 255U));
        }
    }
    return found;
}

std::vector<MeterEvent> MeterReader::events(DeviceNumber number, int count_max) {
    return connection_.run("listing a meter's events", [&](soci::session& sql) {
        std::vector<MeterEvent> found;
        const soci::rowset<soci::row> rows =
            (sql.prepare
                 << "select e.at_us, e.received_us, e.kind, e.clock_doubtful::int, c.number, e.fault, "
                    "e.from_us, e.to_us, "
                    "e.hops, e.parent, e.sub_address::int, e.inferred::int from event e left join "
                    "concentrator c on c.id = "
                    "e.concentrator "
                    "where e.meter_number = :number order by e.at_us desc, e.sequence desc limit :count",
             soci::use(number, "number"), soci::use(count_max, "count"));
        for (const auto& row : rows) {
            const auto fault = maybe<int>(row, 5);
            found.push_back(
                {.at = row.get<Instant>(0),
                 .received = row.get<Instant>(1),
                 .kind = static_cast<dcu::EntryKind>(row.get<int>(2)),
                 .clock_doubtful = row.get<int>(3) != 0,
                 .concentrator = row.get<std::optional<DeviceNumber>>(4),
                 .fault = fault ? std::optional{static_cast<dcu::ReadFault>(*fault)} : std::nullopt,
                 .from = row.get<std::optional<Instant>>(6),
                 .to = row.get<std::optional<Instant>>(7),
                 .hops = maybe<int>(row, 8),
                 .parent = parent_of(row, 9),
                 .sub_address = maybe<int>(row, 10),
                 .inferred = row.get<int>(11, 0) != 0});
        }
        return found;
    });
}

}  // namespace wattmesh::headend::database
