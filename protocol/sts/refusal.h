#pragma once
#include <cstdint>
#include <string_view>

namespace wattmesh::sts {

/// Why a token was not taken. Source: IEC 62055-41, 7.2 (results of validation), in our words.
enum class Refusal : std::uint8_t {
    none,
    format,        ///< not 20 digits, or more than 66 bits
    function,      ///< class or subclass reserved, or not of this meter
    no_key,        ///< encrypted, and nobody gave a key to try
    checksum,      ///< wrong digit, other meter or other key: they look the same
    default_key,   ///< credit under a default key
    key_type,      ///< a key change that this type of key does not allow
    key_expired,   ///< the key's expiry number is below the token's time
    old,           ///< below every identifier that the meter remembers
    used,          ///< this identifier was taken before
    range,         ///< a value that its field allows and the command does not
    overflow,      ///< the credit would exceed what the meter can hold
    manufacturer,  ///< a test for meters of another make
    locked_out,    ///< too many wrong tokens: the meter waits
};
/// Stable word for counters, logs and programs: "checksum_error".
std::string_view to_string(Refusal refusal);
/// A sentence for whoever stands in front of the meter or sits at the counter.
std::string_view explain(Refusal refusal);

}  // namespace wattmesh::sts
