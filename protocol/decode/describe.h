#pragma once
#include <optional>
#include <string_view>

#include "protocol/decode/decipher.h"
#include "protocol/decode/report.h"

namespace wattmesh::decode {

/// What octets are.
enum class Form : std::uint8_t { wrapper, hdlc, mbus, llc, hello, apdu, data, iec104 };
std::optional<Form> form_named(std::string_view name);

struct DescribeOptions {
    std::optional<Form> form;  ///< nothing: the octets tell
    bool all = false;          ///< long arrays to the end
};

/// What was seen on a DLMS link, or on one of IEC 60870-5-104, layer by layer, as far as it makes sense, and
/// where it stops to. Several frames one behind another are read as they come, segments and blocks joined.
/// Never throws for what the octets are.
Report describe(Bytes octets, const DescribeOptions& options = {}, const Keyring& keyring = {});

}  // namespace wattmesh::decode
