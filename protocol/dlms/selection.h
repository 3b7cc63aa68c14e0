#pragma once
#include <cstdint>
#include <optional>

#include "protocol/base/writer.h"
#include "protocol/dlms/object.h"

namespace wattmesh::dlms {

/// Access selection of a profile buffer, with its presence octet. Source: Blue Book ed. 14, 4.3.6.2.3
/// (selectors 1 and 2).
void encode_selection(Writer& out, const Selection& selection);
/// Nothing when the selector or its parameters are not those of a profile buffer. Integers may have any
/// width.
std::optional<Selection> selection_from(std::uint8_t selector, const Data& parameters);

}  // namespace wattmesh::dlms
