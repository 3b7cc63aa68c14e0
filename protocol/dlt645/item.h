#pragma once
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "protocol/base/bytes.h"
#include "protocol/base/obis.h"
#include "protocol/base/result.h"

/// Data items of DL/T 645-2007, annex A: what a data identifier names and how its digits are read.
namespace wattmesh::dlt645 {

/// DI3 DI2 DI1 DI0, as the standard writes it; DI0 goes first on the line.
using DataId = std::uint32_t;
namespace data_id {
inline constexpr DataId address = 0x04000401, date = 0x04000101, time = 0x04000102,
                        status_word_3 = 0x04000503;
}

/// A number of one or several quantities in a row.
struct Item {
    DataId id = 0;
    std::string_view name;
    std::uint8_t octets = 4;           ///< of each number, BCD
    std::uint8_t decimals = 2;         ///< of the number as the meter shows it
    bool is_signed = false;            ///< the top bit is the sign
    double scale = 1;                  ///< to the unit of the quantity: W, var, VA, Wh, varh, V, A, Hz
    std::vector<ObisCode> quantities;  ///< of each number; one number more than there are here is not read
    int unit = 0;                      ///< of the quantities: COSEM code (Blue Book ed. 14, 4.3.2)
};
const Item* find_item(DataId id);
/// The shortest item that has a quantity; null when none has.
const Item* item_of(const ObisCode& quantity);

/// Of the data behind the identifier, in the units of the quantities; nothing for a number that is not
/// available (FF or EE in every octet). Faults: truncated (less than one number), bad_value (no BCD).
Result<std::vector<std::optional<double>>> decode_values(const Item& item, Bytes data);
/// The simulated meter's side. Rounds to the item's decimals; asserts that the digits hold the value.
Buffer encode_values(const Item& item, std::span<const std::optional<double>> values);

/// BCD, low octet first; nothing when a nibble is no digit.
std::optional<std::uint64_t> decode_bcd(Bytes octets);
Buffer encode_bcd(std::uint64_t value, std::size_t octets);

}  // namespace wattmesh::dlt645
