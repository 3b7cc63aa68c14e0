#pragma once
#include "headend/database/connection.h"

namespace wattmesh::headend::database {

/// The same, but connections find the views limited by areas (scope.h) before the tables, also after a lost
/// connection was made anew. Those of wm_console always do.
inline DatabaseSettings limited(DatabaseSettings settings) {
    settings.connection += " options='-c wattmesh.limited=on'";
    return settings;
}

}  // namespace wattmesh::headend::database
