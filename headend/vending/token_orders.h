#pragma once
#include "headend/database/sales.h"
#include "security/vending_module.h"

namespace wattmesh::headend::vending {

/// The key that a meter is to hold.
struct KeyTarget {
    security::VendingKeyName vending_key;
    std::uint8_t tariff_index = 1;
};

/// The key that the meter's record says it holds.
security::MeterKeyName key_of(const database::PrepaidMeter& meter);
/// The module's name for a token: the same for the same terminal, key and place, for ever.
std::string request_name(const std::string& terminal, const std::string& key, std::size_t place);

/// `tid` is the token's own; `request` its name.
database::SaleToken credit_order(const database::PrepaidMeter& meter, std::string request, const char* kind,
                                 sts::Tid tid, pricing::Tenths units);
database::SaleToken command_order(const database::PrepaidMeter& meter, std::string request, sts::Tid tid,
                                  sts::Management command);
database::SaleToken key_order(const database::PrepaidMeter& meter, std::string request,
                              const KeyTarget& target);

/// Asks the module for it. Throws ModuleUnreachable. An id that names another request already (the database
/// was put back) brings what was made for it, if that carries the same.
security::ModuleAnswer make(security::VendingModule& module, const database::SaleToken& token, Instant now);

/// Tenths that the meter will show: coarse above 1638.3 units, in the customer's favour. Nothing of a token
/// without units.
std::optional<pricing::Tenths> units_on(const database::SaleToken& token);
/// Where a key change leads; nothing of other tokens.
std::optional<KeyTarget> target_of(const database::SaleToken& token);

}  // namespace wattmesh::headend::vending
