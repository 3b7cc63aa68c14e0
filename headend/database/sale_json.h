#pragma once
#include <string>

#include "headend/database/sales.h"

namespace wattmesh::headend::database {

/// How a sale goes into the schema's function vend_intend: the row, its lines, its tokens.
std::string row_json(const Sale& sale);
std::string lines_json(const Sale& sale);
std::string tokens_json(const Sale& sale);
/// What the module made, for vend_complete.
std::string made_json(const std::vector<TokenMade>& made);
std::string parcel_json(const Parcel& parcel);

}  // namespace wattmesh::headend::database
