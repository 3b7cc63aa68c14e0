#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/decode/walk.h"

namespace wattmesh::decode {

/// One value of the A-XDR Data CHOICE as it stands on the wire, as far as it goes.
struct DataNode {
    std::size_t at = 0;  ///< of its tag; in a compact array of its content
    std::uint8_t tag = 0;
    bool complete = false;           ///< false: the octets end or stop making sense in it
    std::size_t count = 0;           ///< elements announced
    std::vector<DataNode> elements;  ///< of array, structure and compact array
    Bytes octets;                    ///< of strings, dates and times
    std::optional<std::int64_t> integer;
    std::string words;  ///< of a scalar: "uint32 5009"
};

/// Reads one value. Source: Green Book (DLMS UA 1000-2) ed. 10, 9.5. The bounds are those of
/// dlms::DataLimits.
DataNode read_data(Walk& walk);

/// "uint32" for 06; empty for what is no tag of Data.
std::string_view type_name(std::uint8_t tag);
/// The value of a string in words: text, date-time, logical name or hexadecimal.
std::string octets_words(Bytes octets, bool all);

}  // namespace wattmesh::decode
