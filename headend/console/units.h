#pragma once
#include <cstdint>
#include <string>
#include <string_view>

#include "protocol/base/obis.h"

namespace wattmesh::headend::console {

/// COSEM unit code as people write it (Blue Book ed. 14, 4.3.2); empty for 255 and what is not in the table.
std::string_view unit_name(int unit);
/// What a register measures, in words; its code when there are none.
std::string register_name(const ObisCode& code);
/// The interface class an OBIS code usually has (Blue Book ed. 14, 6.2 and 6.3): clock 8, profile 7, demand
/// 5, disconnect 70, data 1, else register 3.
std::uint16_t usual_class(const ObisCode& code);
/// value x 10^scaler.
double scaled(std::int64_t value, int scaler);

}  // namespace wattmesh::headend::console
