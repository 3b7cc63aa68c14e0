#include "headend/database/partner_master.h"

#include "headend/database/bindings.h"

namespace wattmesh::headend::database {
namespace {

constexpr double degrees = 1e-7;  ///< of a stored coordinate

constexpr const char* master_meters =
    "select m.number, coalesce(m.serial, ''), m.model, k.manufacturer, m.role::int, a.name, m.installed_us, "
    "case i.kind when 4 then n.number end, case i.kind when 3 then n.number else t.number end "
    "from (select * from meter m where ";
/// The meters first, then what is looked up of each.
constexpr const char* master_meter_details =
    " order by m.number limit :count) m join meter_model k on k.name = m.model join area a on a.id = m.area "
    "left join meter_installation i on i.meter = m.id and i.from_us <= :now and i.to_us > :now "
    "left join network_node n on n.id = i.node "
    "left join network_link l on l.node = n.id and n.kind = 4 and l.from_us <= :now and l.to_us > :now "
    "left join network_node t on t.id = l.parent order by m.number";

template <class T>
std::optional<T> present(const soci::row& row, std::size_t column) {
    if (row.get_indicator(column) == soci::i_null) return std::nullopt;
    return row.get<T>(column);
}

}  // namespace

std::vector<MasterMeter> PartnerMaster::where(const std::string& condition, int count_max, Instant now) {
    return connection_.run("listing meters for a partner", [&](soci::session& sql) {
        std::vector<MasterMeter> found;
        const soci::rowset<soci::row> rows = (sql.prepare << master_meters + condition + master_meter_details,
                                              soci::use(count_max, "count"), soci::use(now, "now"));
        for (const auto& row : rows)
            found.push_back({.number = row.get<DeviceNumber>(0),
                             .serial = row.get<std::string>(1),
                             .model = row.get<std::string>(2),
                             .manufacturer = row.get<std::string>(3),
                             .role = static_cast<dcu::MeterRole>(row.get<int>(4)),
                             .area = row.get<std::string>(5),
                             .installed = row.get<Instant>(6),
                             .usage_point = present<std::string>(row, 7),
                             .transformer = present<std::string>(row, 8)});
        return found;
    });
}

std::vector<MasterMeter> PartnerMaster::meters(std::optional<DeviceNumber> after, int count_max,
                                               Instant now) {
    return where("m.number > " + std::to_string(after ? number_of(*after) : -1), count_max, now);
}

std::optional<MasterMeter> PartnerMaster::meter(DeviceNumber number, Instant now) {
    auto found = where("m.number = " + std::to_string(number_of(number)), 1, now);
    if (found.empty()) return std::nullopt;
    return std::move(found.front());
}

std::vector<MasterUsagePoint> PartnerMaster::usage_points(const std::string& after, int count_max,
                                                          Instant now) {
    return connection_.run("listing usage points for a partner", [&](soci::session& sql) {
        std::vector<MasterUsagePoint> found;
        const soci::rowset<soci::row> rows =
            (sql.prepare
                 << "select n.number, n.name, a.name, n.latitude_e7, n.longitude_e7, t.number, m.number, "
                    "i.from_us "
                    "from (select * from network_node where kind = 4 and number > :after order by number "
                    "limit "
                    ":count) n join area a on a.id = n.area left join network_link l on l.node = n.id and "
                    "l.from_us <= :now and l.to_us > :now left join network_node t on t.id = l.parent left "
                    "join "
                    "meter_installation i on i.node = n.id and i.from_us <= :now and i.to_us > :now left "
                    "join "
                    "meter m on m.id = i.meter order by n.number",
             soci::use(after, "after"), soci::use(count_max, "count"), soci::use(now, "now"));
        for (const auto& row : rows) {
            MasterUsagePoint point{.number = row.get<std::string>(0),
                                   .name = row.get<std::string>(1),
                                   .area = row.get<std::string>(2),
                                   .latitude = {},
                                   .longitude = {},
                                   .transformer = present<std::string>(row, 5),
                                   .meter = row.get<std::optional<DeviceNumber>>(6),
                                   .since = row.get<std::optional<Instant>>(7)};
            if (const auto latitude = present<int>(row, 3)) point.latitude = *latitude * degrees;
            if (const auto longitude = present<int>(row, 4)) point.longitude = *longitude * degrees;
            found.push_back(std::move(point));
        }
        return found;
    });
}

std::vector<MasterEvent> PartnerMaster::events(ContractId contract, const std::vector<DeviceNumber>& meters,
                                               Instant from, Instant to,
                                               const std::optional<EventCursor>& after, int count_max) {
    return connection_.run("listing events for a partner", [&](soci::session& sql) {
        std::vector<MasterEvent> found;
        std::string where =
            "e.at_us > " + std::to_string(epoch_us(from)) + " and e.at_us <= " + std::to_string(epoch_us(to));
        if (!meters.empty()) where += " and e.meter_number = any ('" + array_text(meters) + "')";
        if (after)
            where += " and (e.at_us, e.meter_number, e.journal, e.sequence) > (" +
                     std::to_string(epoch_us(after->at)) + ", " + std::to_string(after->device) + ", " +
                     std::to_string(after->journal) + ", " + std::to_string(after->sequence) + ")";
        const soci::rowset<soci::row> rows =
            (sql.prepare
                 << "select e.at_us, e.received_us, e.meter_number, e.journal, e.sequence, c.number, "
                    "t.name, coalesce(x.code, t.code), e.clock_doubtful::int from event e join "
                    "concentrator c on c.id = e.concentrator join event_type t on t.kind = e.kind left "
                    "join exchange_alias x on x.contract = :contract and x.name = t.name where " +
                        where + " order by e.at_us, e.meter_number, e.journal, e.sequence limit :count",
             soci::use(contract, "contract"), soci::use(count_max, "count"));
        for (const auto& row : rows)
            found.push_back(
                {.at = row.get<Instant>(0),
                 .received = row.get<Instant>(1),
                 .meter = row.get<long long>(2) == 0 ? std::nullopt : std::optional{row.get<DeviceNumber>(2)},
                 .journal = row.get<long long>(3),
                 .sequence = row.get<long long>(4),
                 .concentrator = row.get<DeviceNumber>(5),
                 .name = row.get<std::string>(6),
                 .code = present<std::string>(row, 7),
                 .clock_doubtful = row.get<int>(8) != 0});
        return found;
    });
}

}  // namespace wattmesh::headend::database
