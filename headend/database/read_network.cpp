#include "headend/database/read_network.h"

#include <algorithm>

#include "headend/database/bindings.h"

namespace wattmesh::headend::database {
namespace {

/// A tie that holds has this end.
constexpr Instant open_end = never;

NetworkNode node_of(const soci::row& row) {
    NetworkNode node{.id = row.get<NodeId>(0),
                     .area = row.get<AreaId>(1),
                     .kind = static_cast<NodeKind>(row.get<int>(2)),
                     .number = row.get<std::string>(3),
                     .name = row.get<std::string>(4)};
    if (row.get_indicator(5) == soci::i_ok) node.position = Position{row.get<int>(5), row.get<int>(6)};
    return node;
}
constexpr std::size_t node_columns = 7;

std::optional<Instant> end_of_tie(const soci::row& row, std::size_t column) {
    const auto at = row.get<Instant>(column);
    return at == never ? std::nullopt : std::optional{at};
}
std::optional<std::int64_t> maybe(const soci::row& row, std::size_t column) {
    if (row.get_indicator(column) == soci::i_null) return std::nullopt;
    return row.get<long long>(column);
}
Customer customer_of(const soci::row& row, std::size_t column) {
    return {row.get<CustomerId>(column),      row.get<AreaId>(column + 1),
            row.get<std::string>(column + 2), row.get<std::string>(column + 3),
            row.get<std::string>(column + 4), row.get<std::string>(column + 5)};
}

}  // namespace

std::vector<NodeLine> NetworkReader::below(std::optional<NodeId> parent) {
    return connection_.run("listing the network", [&](soci::session& sql) {
        std::vector<NodeLine> found;
        const std::int64_t of = parent ? parent->value : 0;
        // Four levels at most: the recursion ends by the kinds of the nodes.
        const soci::rowset<soci::row> rows =
            (sql.prepare
                 << "with recursive here as (select n.* from network_node n left join network_link l on "
                    "l.node = n.id and "
                    "l.to_us = :open where coalesce(l.parent, 0) = :parent), "
                    "tree as (select id as top, id as node, kind from here union all select t.top, l.node, "
                    "l.kind from tree "
                    "t join network_link l on l.parent = t.node and l.to_us = :open), "
                    "counts as (select t.top, count(*) filter (where t.kind = 4) as points, count(i.meter) "
                    "filter (where "
                    "t.kind = 4) as meters, count(*) as nodes from tree t left join meter_installation i on "
                    "i.node = t.node "
                    "and i.to_us = :open group by t.top) "
                    "select h.id, h.area, h.kind::int, h.number, h.name, h.latitude_e7, h.longitude_e7, "
                    "(select count(*) "
                    "from network_link l where l.parent = h.id and l.to_us = :open)::int, c.points::int, "
                    "c.meters::int, m.number, k.number, coalesce(u.name, '') "
                    "from here h join counts c on c.top = h.id "
                    "left join meter_installation i on i.node = h.id and i.to_us = :open left join meter m "
                    "on m.id = i.meter "
                    "left join concentrator_site s on s.transformer = h.id and s.to_us = :open left join "
                    "concentrator k on k.id = s.concentrator "
                    "left join supply y on y.usage_point = h.id and y.to_us = :open left join customer u on "
                    "u.id = y.customer order by h.kind, h.number",
             soci::use(open_end, "open"), soci::use(of, "parent"));
        for (const auto& row : rows)
            found.push_back({.node = node_of(row),
                             .below = row.get<int>(node_columns),
                             .usage_points = row.get<int>(node_columns + 1),
                             .meters = row.get<int>(node_columns + 2),
                             .meter = row.get<std::optional<DeviceNumber>>(node_columns + 3),
                             .concentrator = row.get<std::optional<DeviceNumber>>(node_columns + 4),
                             .customer = row.get<std::string>(node_columns + 5)});
        return found;
    });
}

std::vector<NetworkNode> NetworkReader::path(NodeId node) {
    return connection_.run("following the network upwards", [&](soci::session& sql) {
        std::vector<NetworkNode> found;
        const soci::rowset<soci::row> rows =
            (sql.prepare << "with recursive up as (select id from network_node where id = :node union select "
                            "l.parent from "
                            "up join network_link l on l.node = up.id and l.to_us = :open) select n.id, "
                            "n.area, n.kind::int, n.number, n.name, n.latitude_e7, "
                            "n.longitude_e7 from up "
                            "join network_node n on n.id = up.id order by n.kind",
             soci::use(node, "node"), soci::use(open_end, "open"));
        for (const auto& row : rows) found.push_back(node_of(row));
        return found;
    });
}

std::vector<MeterAt> NetworkReader::meters(NodeId node) {
    return connection_.run("listing the meters of a place", [&](soci::session& sql) {
        std::vector<MeterAt> found;
        const ObisCode total = *ObisCode::parse("1.8.0");
        const soci::rowset<soci::row> rows =
            (sql.prepare << "select i.meter, m.number, i.from_us, i.to_us, a.value, z.value from "
                            "meter_installation i join "
                            "meter m on m.id = i.meter "
                            "left join register_reading a on a.meter = i.meter and a.source = 'exchange' and "
                            "a.register = "
                            ":total and a.at_us = i.from_us "
                            "left join register_reading z on z.meter = i.meter and z.source = 'exchange' and "
                            "z.register = "
                            ":total and z.at_us = i.to_us "
                            "where i.node = :node order by i.from_us desc",
             soci::use(total, "total"), soci::use(node, "node"));
        for (const auto& row : rows)
            found.push_back({row.get<MeterId>(0), row.get<DeviceNumber>(1), row.get<Instant>(2),
                             end_of_tie(row, 3), maybe(row, 4), maybe(row, 5)});
        return found;
    });
}

std::vector<SuppliedAt> NetworkReader::supplies(NodeId usage_point) {
    return connection_.run("listing the customers of a place", [&](soci::session& sql) {
        std::vector<SuppliedAt> found;
        const soci::rowset<soci::row> rows =
            (sql.prepare << "select y.from_us, y.to_us, c.id, c.area, c.number, c.name, c.address, c.phone "
                            "from supply y "
                            "join customer c on c.id = y.customer where y.usage_point = :node order by "
                            "y.from_us desc",
             use(usage_point));
        for (const auto& row : rows)
            found.push_back({customer_of(row, 2), row.get<Instant>(0), end_of_tie(row, 1)});
        return found;
    });
}

std::optional<MeterSite> NetworkReader::site(MeterId meter) {
    const auto place =
        connection_.run("looking where a meter is", [&](soci::session& sql) -> std::optional<Tie> {
            Tie tie;
            long long node = 0;
            sql << "select node, from_us from meter_installation where meter = :meter and to_us "
                   "= :open",
                soci::use(meter, "meter"), soci::use(open_end, "open"), soci::into(node),
                soci::into(tie.from);
            if (!sql.got_data()) return std::nullopt;
            tie.parent = node;
            return tie;
        });
    if (!place) return std::nullopt;
    MeterSite site{path(NodeId{place->parent}), {}, place->from};
    const auto customers = supplies(NodeId{place->parent});
    if (!customers.empty() && !customers.front().to) site.customer = customers.front().customer;
    return site;
}

std::optional<NetworkNode> NetworkReader::transformer_of(ConcentratorId concentrator) {
    return connection_.run(
        "looking where a concentrator stands", [&](soci::session& sql) -> std::optional<NetworkNode> {
            soci::row row;
            sql << "select n.id, n.area, n.kind::int, n.number, n.name, n.latitude_e7, "
                   "n.longitude_e7 from concentrator_site s "
                   "join network_node n on n.id = s.transformer where s.concentrator = "
                   ":concentrator and s.to_us = :open",
                soci::use(concentrator, "concentrator"), soci::use(open_end, "open"), soci::into(row);
            if (!sql.got_data()) return std::nullopt;
            return node_of(row);
        });
}

std::optional<DeviceNumber> NetworkReader::concentrator_at(NodeId transformer) {
    return connection_.run(
        "looking which concentrator stands here", [&](soci::session& sql) -> std::optional<DeviceNumber> {
            DeviceNumber number;
            sql << "select c.number from concentrator_site s join concentrator c on c.id "
                   "= s.concentrator where s.transformer = "
                   ":node and s.to_us = :open",
                soci::use(transformer, "node"), soci::use(open_end, "open"), soci::into(number);
            if (!sql.got_data()) return std::nullopt;
            return number;
        });
}

std::vector<TransformerDay> NetworkReader::losses(TenantId tenant, UtcDay local_day) {
    return connection_.run("summing up losses by transformer", [&](soci::session& sql) {
        std::vector<TransformerDay> found;
        const std::string day = std::to_string(local_day.time_since_epoch().count());
        const soci::rowset<soci::row> rows =
            (sql.prepare
                 << "with day as (select at_us((date '1970-01-01' + " + day +
                        ")::timestamp at time zone time_zone) as low, at_us((date '1970-01-01' + " + day +
                        " + 1)::timestamp at time zone time_zone) as high from tenant where id = :tenant), "
                        "hung as materialized (select t.transformer, t.role, t.meter, a.v1 - coalesce(a.v2, "
                        "0) as wh, "
                        "coalesce(a.readings, 0) as readings, (d.high - d.low) / 900000000 as due "
                        "from day d cross join transformer_meter t left join aggregate_day a on a.meter = "
                        "t.meter and a.bank "
                        "= 1 and a.from_us = d.low where t.from_us <= d.low and t.to_us >= d.high) "
                        "select n.id, n.area, n.kind::int, n.number, n.name, n.latitude_e7, n.longitude_e7, "
                        "(sum(h.wh) filter (where h.role = 1 and h.readings >= h.due))::bigint, "
                        "coalesce(sum(h.wh) filter (where h.role = 0), 0)::bigint, count(*) filter (where "
                        "h.role = 0)::int, "
                        "count(*) filter (where h.role = 0 and h.readings >= h.due)::int "
                        "from hung h join network_node n on n.id = h.transformer and n.tenant = :tenant "
                        "group by n.id, n.area, n.kind, n.number, n.name, n.latitude_e7, n.longitude_e7 "
                        "order by n.number",
             soci::use(tenant, "tenant"));
        for (const auto& row : rows)
            found.push_back({node_of(row), maybe(row, node_columns), row.get<long long>(node_columns + 1),
                             row.get<int>(node_columns + 2), row.get<int>(node_columns + 3)});
        std::ranges::stable_sort(found, std::greater{}, [](const TransformerDay& line) {
            return line.complete() ? *line.supplied_wh - line.consumed_wh : -1;
        });
        return found;
    });
}

}  // namespace wattmesh::headend::database
