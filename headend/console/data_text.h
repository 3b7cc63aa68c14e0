#pragma once
#include <string>

#include "protocol/dlms/data.h"

namespace wattmesh::headend::console {

/// A COSEM value for people: numbers plain, date-times as such, printable octets as text and others in
/// hexadecimal, structures in brackets; long ones end in an ellipsis.
std::string data_text(const dlms::Data& data);

}  // namespace wattmesh::headend::console
