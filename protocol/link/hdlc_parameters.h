#pragma once
#include <cstdint>

#include "protocol/base/bytes.h"
#include "protocol/base/result.h"

namespace wattmesh::link {

/// What one end of a link offers in SNRM or UA, seen from that end. What is not said has the value here.
/// Source: IEC 62056-46, 6.4.4.4.3 and ISO/IEC 13239, 5.5.3.2.2 (format 81, group 80, parameters 05 to 08).
struct HdlcParameters {
    std::size_t send_size = 128, receive_size = 128;  ///< octets of an information field, 1..2030
    unsigned send_window = 1, receive_window = 1;     ///< frames without acknowledgement, 1..7
    friend bool operator==(const HdlcParameters&, const HdlcParameters&) = default;
};
inline constexpr unsigned hdlc_window_max = 7;

/// An empty field is an end that takes the defaults. Sizes beyond 2030 are cut to it, unknown parameters are
/// skipped; a size of 0, a window outside 1..7 and a wrong length are refused.
Result<HdlcParameters> decode_hdlc_parameters(Bytes information);
/// All four parameters; sizes in one octet where they fit.
Buffer encode_hdlc_parameters(const HdlcParameters& parameters);

}  // namespace wattmesh::link
