#pragma once
#include "protocol/cosem/models/meter_model.h"

namespace wattmesh::sim {

/// Who may see an object: a set of these bits.
inline constexpr unsigned for_public = 1, for_reading = 2, for_management = 4;
inline constexpr unsigned for_customers = for_reading | for_management,
                          for_everybody = for_public | for_customers;

/// 0 for a client the model does not know.
constexpr unsigned audience_of(Sap client, const cosem::MeterModel& model) {
    return client == model.public_client.client       ? for_public
           : client == model.reading_client.client    ? for_reading
           : client == model.management_client.client ? for_management
                                                      : 0;
}

}  // namespace wattmesh::sim
