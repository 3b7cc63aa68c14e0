#pragma once
#include "headend/vending/pricing/quote.h"
#include "protocol/base/id.h"

namespace wattmesh::headend::database {

namespace pricing = vending::pricing;

using TariffId = Id<struct TariffTag, std::int32_t>;
using VendorId = Id<struct VendorTag, std::int32_t>;
using TerminalId = Id<struct TerminalTag, std::int32_t>;
using LedgerAccountId = Id<struct LedgerAccountTag, std::int64_t>;
using PrepaidAccountId = Id<struct PrepaidAccountTag, std::int64_t>;
using PrepaidMeterId = Id<struct PrepaidMeterTag, std::int64_t>;
using SaleId = Id<struct SaleTag, std::int64_t>;
using ShiftId = Id<struct ShiftTag, std::int64_t>;

}  // namespace wattmesh::headend::database
