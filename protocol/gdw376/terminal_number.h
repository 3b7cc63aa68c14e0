#pragma once
#include <optional>

#include "protocol/base/id.h"
#include "protocol/gdw376/frame.h"

namespace wattmesh::gdw376 {

/// The device number of a terminal: 376, the four digits of its area, its own address as five decimal digits.
/// 4403-1234 (hexadecimal both) is 376440304660. Nothing for a group, for terminal 0, and for an area that is
/// no four digits.
std::optional<DeviceNumber> terminal_number(const Address& address);
/// The other way; nothing for a number that is no terminal's.
std::optional<Address> terminal_address(const DeviceNumber& number);

}  // namespace wattmesh::gdw376
