#pragma once
#include <string>

#include "headend/database/outbox.h"

namespace wattmesh::headend::exchange {

/// The message as a CloudEvent (CNCF CloudEvents 1.0.2, JSON event format), with the extension `sequence`.
/// The same message always gives the same octets.
std::string cloud_event(const database::OutboxMessage& message, TenantId tenant);

inline constexpr const char* cloud_event_type = "application/cloudevents+json; charset=utf-8";
inline constexpr const char* cloud_events_type = "application/cloudevents-batch+json; charset=utf-8";

}  // namespace wattmesh::headend::exchange
