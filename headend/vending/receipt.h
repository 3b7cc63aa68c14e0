#pragma once
#include <string>
#include <vector>

#include "headend/console/json.h"
#include "headend/database/deliveries.h"
#include "headend/database/sales.h"
#include "protocol/sts/token.h"

namespace wattmesh::headend::vending {

/// "26.9".
std::string units_text(pricing::Tenths units);
/// What a line says, as an object.
void write(console::Json& json, const pricing::Line& line);
/// tender, units, free_units and lines, as members.
void write(console::Json& json, const pricing::Quote& quote);

/// Where the tokens of a sale are on their way to the meter, as an object.
void write(console::Json& json, const database::Delivery& delivery);

/// The digits of every token of a sale, in its order; a key change has several.
using Digits = std::vector<std::vector<sts::Token>>;
/// The whole receipt as JSON, digits in groups of four.
std::string receipt(const database::Sale& sale, const database::SaleGround& ground,
                    const database::VendTerminal& terminal, const std::string& tariff, const Digits& digits);

}  // namespace wattmesh::headend::vending
