#pragma once
#include <string>

#include "headend/vending/pricing/money.h"

namespace wattmesh::headend::vending {

/// What pages and receipts say of the utility, and how its money is written. From the configuration
/// (vending.*).
struct Shopfront {
    std::string utility = "Wattmesh", address{}, tax_number{}, help_line{};
    std::string currency{};  ///< its sign or code before an amount; empty: none
    int decimals = 2;        ///< of a whole in smallest coins, 0..4
    /// Cash and card ports of machines are simulated by this role. For demonstrations: anybody who may sell
    /// may also pretend to pay.
    bool simulated_ports = false;
    /// Write-offs and pay-outs above it wait until another supervisor agrees.
    pricing::Money second_person_above{10'000};
};

/// "USD 1 234.50".
std::string money_text(const Shopfront& front, pricing::Money money);

/// What a stranger at a counter may see of a name or an address: the first letter of each word, "A•• R••".
/// Words of one letter or that begin with a digit show nothing, and no word its length.
std::string masked(const std::string& text);

}  // namespace wattmesh::headend::vending
