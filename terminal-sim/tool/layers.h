#pragma once
#include <string>

#include "protocol/base/bytes.h"

namespace wattmesh::sim {

/// The layers of what was seen on a DLMS link, one per line, inner ones indented.
struct LayerText {
    std::string text;
    bool whole = true;  ///< false: something did not decode, the text says where
};
/// Wrapper frames, HDLC frames, or a bare APDU.
LayerText describe(Bytes octets);

}  // namespace wattmesh::sim
