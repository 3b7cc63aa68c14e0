#pragma once
#include "protocol/base/id.h"

namespace wattmesh::sim {

/// Who may see an object: a set of these bits.
inline constexpr unsigned for_public = 1, for_reading = 2, for_management = 4;
inline constexpr unsigned for_customers = for_reading | for_management,
                          for_everybody = for_public | for_customers;

/// 0 for a client the meter does not know.
constexpr unsigned audience_of(Sap client) {
    return client == public_client       ? for_public
           : client == reading_client    ? for_reading
           : client == management_client ? for_management
                                         : 0;
}

}  // namespace wattmesh::sim
