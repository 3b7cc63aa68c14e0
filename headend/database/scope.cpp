#include "headend/database/scope.h"

#include "headend/database/bindings.h"

namespace wattmesh::headend::database {

Scope Scope::of(TenantId tenant, const std::vector<AreaId>& areas) {
    return {std::to_string(tenant.value), array_text(areas)};
}

void limit(Connection& connection, const Scope& scope) {
    connection.run("limiting a connection to what may be seen", [&](soci::session& sql) {
        sql << "select set_config('wattmesh.tenant', :tenant, false), set_config('wattmesh.areas', :areas, "
               "false)",
            use(scope.tenant), use(scope.areas);
    });
}

std::vector<AreaId> areas(Connection& connection) {
    return connection.run("reading what may be seen", [&](soci::session& sql) {
        std::vector<AreaId> found;
        const soci::rowset<soci::row> rows = (sql.prepare << "select unnest(wattmesh_scope.areas())");
        for (const auto& row : rows) found.push_back(row.get<AreaId>(0));
        return found;
    });
}

std::vector<std::pair<AreaId, std::string>> area_names(Connection& connection) {
    return connection.run("listing areas", [&](soci::session& sql) {
        std::vector<std::pair<AreaId, std::string>> found;
        const soci::rowset<soci::row> rows = (sql.prepare << "select id, name from area order by name");
        for (const auto& row : rows) found.emplace_back(row.get<AreaId>(0), row.get<std::string>(1));
        return found;
    });
}

}  // namespace wattmesh::headend::database
