#pragma once
#include <string>

#include "headend/database/outbox.h"

namespace wattmesh::headend::exchange {

/// Topics that can be told in IEC 61968-9.
inline constexpr std::string_view cim_topics[] = {"event", "readings"};

/// A message of the outbox as EventMessage in the contract's dialect: created MeterReadings with the values
/// that are stored now, or created EndDeviceEvents. Its MessageID is the same however often it is made.
std::string cim_push(database::Connection& connection, const database::Contract& contract,
                     const database::OutboxMessage& message);

}  // namespace wattmesh::headend::exchange
