#pragma once
#include <soci/soci.h>

#include <array>
#include <cstdint>
#include <stdexcept>
#include <string>

#include "protocol/base/bytes.h"
#include "protocol/base/id.h"
#include "protocol/base/obis.h"
#include "protocol/base/time.h"

/// How our values look in SQLite: ids and codes as upper-case hexadecimal text, instants as microseconds,
/// octets as blobs.
namespace wattmesh::concentrator::sql {

template <std::size_t N>
std::string text(const std::array<std::uint8_t, N>& octets) {
    return to_hex(octets);
}
inline std::string text(const DeviceNumber& number) { return to_hex(number.bcd); }
inline std::string text(const ObisCode& code) { return to_hex(code.groups); }
inline std::string text(const JournalId& id) { return to_hex(id.octets); }

/// Throws when the file holds something else: it was damaged or written by another program.
template <std::size_t N>
std::array<std::uint8_t, N> octets(const std::string& hex) {
    const auto bytes = from_hex(hex);
    if (!bytes || bytes->size() != N)
        throw std::runtime_error("a value in the journal file is damaged: " + hex);
    std::array<std::uint8_t, N> out{};
    std::copy(bytes->begin(), bytes->end(), out.begin());
    return out;
}
inline DeviceNumber device_number(const std::string& hex) { return {octets<6>(hex)}; }
inline ObisCode obis_code(const std::string& hex) { return {octets<6>(hex)}; }

inline long long integer(std::uint64_t value) { return static_cast<long long>(value); }
inline long long integer(Instant at) { return epoch_us(at); }

inline void fill(soci::blob& blob, const Buffer& octets) {
    // SOCI's SQLite backend binds a null for a blob that was never written; one octet, cut again, makes it an
    // empty one
    static constexpr char nothing = 0;
    if (octets.empty()) {
        blob.write(0, &nothing, 1);
        blob.trim(0);
    } else {
        blob.write(0, reinterpret_cast<const char*>(octets.data()), octets.size());
    }
}
inline Buffer content(soci::blob& blob, soci::indicator indicator) {
    Buffer out;
    if (indicator != soci::i_ok) return out;
    out.resize(blob.get_len());
    if (!out.empty()) blob.read(0, reinterpret_cast<char*>(out.data()), out.size());
    return out;
}

}  // namespace wattmesh::concentrator::sql
