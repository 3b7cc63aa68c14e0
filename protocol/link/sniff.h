#pragma once
#include <cstdint>
#include <optional>
#include <string_view>

#include "protocol/base/bytes.h"

/// Which protocol a device speaks that has called in and speaks first, by the first octets of its stream. For
/// listeners with several kinds of devices on one port; the session then keeps that framer for its life.
namespace wattmesh::link {

enum class Speech : std::uint8_t {
    gdw376,        ///< Q/GDW 376.1: 68 L L 68, checksum
    dlt645,        ///< DL/T 645: 68 address 68, checksum, perhaps behind FE
    dlt698,        ///< DL/T 698.45: 68, header check
    mbus,          ///< M-Bus long frame (EN 13757-2): 68 L L 68, checksum
    hdlc,          ///< DLMS on HDLC, frame type 3, check sequence
    radio_module,  ///< frames like RFC 1662, 7E FF 03, of module makers
    wrapper,       ///< DLMS wrapper, an APDU or a hello in it
    bare_apdu,     ///< a DLMS APDU without any frame
    ddp,           ///< DTU registration 7B 01
    dtu_login,     ///< DTU registration AA 01, eleven digits, 0D
    iec62056_21,   ///< identification line
};
std::string_view to_string(Speech speech);

struct Sniffed {
    enum class Verdict : std::uint8_t {
        more,     ///< could still be one of them: ask again with more octets
        known,    ///< whatever follows
        unknown,  ///< whatever follows: perhaps a DTU with a text of its own
    } verdict{};
    Speech speech{};  ///< when known
    friend bool operator==(const Sniffed&, const Sniffed&) = default;
};

/// Octets of a first frame that are waited for.
inline constexpr std::size_t sniff_size_max = 2'048;

/// `first`: all that came since the connection began. A checksum or a length that fits settles it; octets
/// that only look alike do not.
Sniffed sniff(Bytes first);

}  // namespace wattmesh::link
