#pragma once
#include <cstdint>
#include <string>

#include "protocol/base/obis.h"

namespace wattmesh::cosem {

/// What an object is, in words: "Active energy import tariff 1"; empty when this table does not know it.
/// Source: Blue Book ed. 14, part 1, clause 6 (value groups).
std::string obis_name(const ObisCode& code);
/// The same, and the code itself when there are no words.
std::string obis_name_or_code(const ObisCode& code);
/// The interface class an OBIS code usually has (Blue Book ed. 14, part 1, 6.2 and 6.3): clock 8, profile 7,
/// demand 5, disconnect 70, data 1, else register 3. A meter's object list or its model knows better.
std::uint16_t usual_class(const ObisCode& code);

}  // namespace wattmesh::cosem
