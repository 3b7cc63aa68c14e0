#pragma once
#include <cstdint>
#include <string>

#include "protocol/base/time.h"

/// Numbers and instants of readings as text, without a temporary: there are hundreds of thousands a second.
namespace wattmesh::headend::exchange {

/// Appends value * 10^exponent, exactly: "-0.010" of -10 and -3.
void append_decimal(std::string& out, std::int64_t value, int exponent);
/// Appends "2026-03-10T00:15:00": whole seconds, of whatever zone.
void append_date_time(std::string& out, Instant at);
/// Appends "2026-03-10T00:15:00.000Z".
void append_iso(std::string& out, Instant at);

}  // namespace wattmesh::headend::exchange
