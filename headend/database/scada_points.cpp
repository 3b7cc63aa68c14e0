#include "headend/database/scada_points.h"

#include <algorithm>
#include <array>

#include "headend/database/bindings.h"

namespace wattmesh::headend::database {
namespace {

constexpr std::array<std::string_view, 9> words{"power",     "import_energy", "export_energy",
                                                "customers", "dark",          "supply",
                                                "online",    "relay",         "relay_command"};

ScadaLink link_of(const soci::row& row) {
    return {row.get<ScadaLinkId>(0), row.get<TenantId>(1), row.get<std::string>(2), row.get<int>(3)};
}

constexpr const char* link_columns = "select id, tenant, name, version from scada_link";

}  // namespace

std::string_view to_string(ScadaQuantity quantity) { return words[static_cast<std::size_t>(quantity)]; }

std::optional<ScadaQuantity> parse_scada_quantity(std::string_view word) {
    for (std::size_t i = 0; i < words.size(); ++i)
        if (words[i] == word) return static_cast<ScadaQuantity>(i);
    return std::nullopt;
}

bool fits(ScadaQuantity quantity, int type) {
    switch (quantity) {
        case ScadaQuantity::power:
        case ScadaQuantity::customers:
        case ScadaQuantity::dark:
            return type == 11 || type == 13;
        case ScadaQuantity::import_energy:
        case ScadaQuantity::export_energy:
            return type == 15;
        case ScadaQuantity::supply:
        case ScadaQuantity::online:
            return type == 1;
        case ScadaQuantity::relay:
            return type == 3;
        case ScadaQuantity::relay_command:
            return type == 45 || type == 46;
    }
    return false;
}

std::optional<ScadaLink> ScadaPoints::link(const std::string& name) {
    return connection_.run("looking for a SCADA link", [&](soci::session& sql) -> std::optional<ScadaLink> {
        const soci::rowset<soci::row> rows =
            (sql.prepare << std::string{link_columns} + " where name = :name", use(name));
        for (const auto& row : rows) return link_of(row);
        return std::nullopt;
    });
}

std::vector<ScadaLink> ScadaPoints::links() {
    return connection_.run("listing SCADA links", [&](soci::session& sql) {
        std::vector<ScadaLink> found;
        const soci::rowset<soci::row> rows = (sql.prepare << std::string{link_columns} + " order by name");
        for (const auto& row : rows) found.push_back(link_of(row));
        return found;
    });
}

ScadaLinkId ScadaPoints::add_link(TenantId tenant, const std::string& name, Instant now,
                                  const std::string& by) {
    return connection_.run("adding a SCADA link", [&](soci::session& sql) {
        ScadaLinkId id;
        sql << "insert into scada_link (tenant, name, changed_us, changed_by) values (:tenant, :name, :now, "
               ":by) returning id",
            use(tenant), use(name), use(now), use(by), soci::into(id);
        return id;
    });
}

std::vector<ScadaPoint> ScadaPoints::points(const ScadaLink& link) {
    return connection_.run("reading a point table", [&](soci::session& sql) {
        std::vector<ScadaPoint> found;
        const soci::rowset<soci::row> rows =
            (sql.prepare
                 << "select station, address, type::int, device, quantity, scale, deadband, interval_s, "
                    "freshness_s, point_group::int, writable::int from scada_point where link = :link "
                    "and version = :version order by station, address",
             use(link.id), use(link.version));
        for (const auto& row : rows) {
            const auto quantity = parse_scada_quantity(row.get<std::string>(4));
            if (!quantity) continue;  // of a newer program
            found.push_back({.station = row.get<int>(0),
                             .address = row.get<int>(1),
                             .type = row.get<int>(2),
                             .device = row.get<DeviceNumber>(3),
                             .quantity = *quantity,
                             .scale = row.get<double>(5),
                             .deadband = row.get<double>(6),
                             .interval_s = row.get<int>(7),
                             .freshness_s = row.get<int>(8),
                             .group = row.get<int>(9),
                             .writable = row.get<int>(10) != 0});
        }
        return found;
    });
}

std::string ScadaPoints::replace(const ScadaLink& link, const std::vector<ScadaPoint>& points, Instant now,
                                 const std::string& by) {
    return connection_.run("storing a point table", [&](soci::session& sql) -> std::string {
        const int version = link.version + 1;
        for (const auto& point : points) {
            const std::string quantity{to_string(point.quantity)};
            const int writable = point.writable ? 1 : 0;
            sql << "insert into scada_point (link, version, station, address, type, device, quantity, scale, "
                   "deadband, interval_s, freshness_s, point_group, writable) values (:link, :version, "
                   ":station, "
                   ":address, cast(:type as int), :device, :quantity, :scale, :deadband, :interval, "
                   ":freshness, "
                   "cast(:group as int), cast(:writable as int) <> 0)",
                use(link.id), use(version), use(point.station), use(point.address), use(point.type),
                use(point.device), use(quantity), use(point.scale), use(point.deadband),
                use(point.interval_s), use(point.freshness_s), use(point.group), use(writable);
        }
        std::string reused;
        sql << "select n.station || '/' || n.address || ' meant ' || o.quantity || ' of ' || o.device from "
               "scada_point n join scada_point o on o.link = n.link and o.version < n.version and o.station "
               "= "
               "n.station and o.address = n.address and (o.device, o.quantity, o.type) <> (n.device, "
               "n.quantity, "
               "n.type) where n.link = :link and n.version = :version order by n.station, n.address, "
               "o.version "
               "limit 1",
            use(link.id), use(version), soci::into(reused);
        if (sql.got_data()) return reused + ": an address is never used again for something else";
        sql << "update scada_link set version = :version, changed_us = :now, changed_by = :by where id = :id",
            use(version), use(now), use(by), use(link.id);
        return {};
    });
}

bool ScadaPoints::shows(const ScadaLink& link, DeviceNumber meter) {
    return connection_.run("asking whether a link shows a meter", [&](soci::session& sql) {
        int count = 0;
        sql << "select count(*)::int from meter m join scada_link k on k.id = :link and k.tenant = m.tenant "
               "where m.number = :meter and (k.areas is null or m.area = any(k.areas))",
            use(link.id), use(meter), soci::into(count);
        return count == 1;
    });
}

std::vector<DeviceNumber> ScadaPoints::concentrators(TenantId tenant) {
    return connection_.run("listing concentrators for a point table", [&](soci::session& sql) {
        std::vector<DeviceNumber> found;
        const soci::rowset<soci::row> rows =
            (sql.prepare
                 << "select c.number from concentrator c where c.tenant = :tenant and exists (select from "
                    "meter m where m.concentrator = c.id and m.role = 1) order by 1",
             use(tenant));
        for (const auto& row : rows) found.push_back(row.get<DeviceNumber>(0));
        return found;
    });
}

}  // namespace wattmesh::headend::database
