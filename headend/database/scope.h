#pragma once
#include <optional>
#include <string>
#include <vector>

#include "headend/database/connection.h"
#include "protocol/base/id.h"

namespace wattmesh::headend::database {

/// What a connection of the role wm_console shows: the rows of some areas of one tenant. A connection on
/// which nothing was set shows nothing; one that broke in between shows nothing either.
struct Scope {
    static Scope everything() { return {"*", "*"}; }
    static Scope nothing() { return {}; }
    /// All areas of a tenant.
    static Scope of(TenantId tenant) { return {std::to_string(tenant.value), "*"}; }
    static Scope of(TenantId tenant, const std::vector<AreaId>& areas);

    std::string tenant, areas;  ///< as the schema's function wattmesh_scope.areas reads them
    bool operator==(const Scope&) const = default;
};

/// Holds for the connection until the next call.
void limit(Connection& connection, const Scope& scope);
/// The areas that the connection shows.
std::vector<AreaId> areas(Connection& connection);
/// The same with their names, by name. For connections of wm_console.
std::vector<std::pair<AreaId, std::string>> area_names(Connection& connection);

}  // namespace wattmesh::headend::database
