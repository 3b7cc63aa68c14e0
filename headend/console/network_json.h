#pragma once
#include "headend/console/context.h"
#include "headend/console/http.h"
#include "headend/console/json.h"
#include "headend/database/read_network.h"

/// What routes say of the network.
namespace wattmesh::headend::console {

/// Members of an open object.
void write(Json& json, const database::NetworkNode& node);
/// Member "path": from the substation down.
void write_path(Json& json, const std::vector<database::NetworkNode>& path);
void write(Json& json, const database::Customer& customer);
/// Where a meter is, or null.
void write(Json& json, const std::optional<database::MeterSite>& site);
/// The answer with a transformer's balance of one UTC day, net of export.
Answer balance_of(const Context& context, database::Connection& connection,
                  const database::NetworkNode& transformer, database::UtcDay day);

}  // namespace wattmesh::headend::console
