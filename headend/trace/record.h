#pragma once
#include <optional>
#include <string_view>

#include "protocol/base/bytes.h"
#include "protocol/base/id.h"
#include "protocol/base/time.h"
#include "protocol/link/hello_profile.h"

namespace wattmesh::headend::trace {

/// What happened on one link of a front-end.
struct Record {
    enum class Kind : std::uint8_t { opened = 1, received = 2, sent = 3, closed = 4 };
    Kind kind{};
    link::Carried carries{};
    std::uint64_t link = 0;                ///< unique in one process
    std::optional<DeviceNumber> device{};  ///< nothing: it had not said yet who it is
    Instant at{};
    std::size_t size = 0;  ///< octets on the wire; `content` has the first of them, secrets blanked
    Buffer content{};      ///< opened, closed: words in UTF-8

    std::string_view words() const { return {reinterpret_cast<const char*>(content.data()), content.size()}; }
    bool is_frame() const { return kind == Kind::received || kind == Kind::sent; }
    friend bool operator==(const Record&, const Record&) = default;
};
std::string_view to_string(Record::Kind kind);

// A trace file: `magic`, then records one behind another, numbers big-endian:
//
//     size      4   octets of what follows
//     kind      1
//     carries   1   link::Carried
//     link      8
//     device    6   twelve digits BCD; FF FF FF FF FF FF: not known
//     at        8   microseconds since 1970-01-01 UTC, on the front-end's clock
//     wire size 4
//     content       the rest
inline constexpr std::string_view magic = "WMTRACE1";
inline constexpr std::size_t size_field = 4, record_head = 1 + 1 + 8 + 6 + 8 + 4;
/// Longer content is cut; a record that says more is damage.
inline constexpr std::size_t content_max = 65'535;

Buffer encode(const Record& record);
/// The record at the beginning of `octets`, and how many octets it takes.
struct Decoded {
    enum class Verdict : std::uint8_t { whole, unfinished, damaged };
    Verdict verdict{};
    std::size_t size = 0;
    Record record;
};
Decoded decode_record(Bytes octets);

}  // namespace wattmesh::headend::trace
