#pragma once
#include <optional>

#include "headend/vending/shopfront.h"
#include "protocol/base/bytes.h"

namespace wattmesh::headend::vending {

/// What the customer takes away, from the receipt as it was stored (receipt.h). Throws std::runtime_error
/// when that is no receipt. For a text message: sum, units and digits, in the order in which they are typed
/// in.
std::string sms_text(const Shopfront& front, const std::string& receipt);
/// For a roll of 80 mm. `copy` is printed as a mark. Letters outside Latin-1 are shown as '?'.
Buffer receipt_pdf(const Shopfront& front, const std::string& receipt, std::optional<int> copy);

}  // namespace wattmesh::headend::vending
