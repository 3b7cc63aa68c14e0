#pragma once
#include <string>

namespace wattmesh::test {

/// What xmllint has against the document by schema/exchange/`schema`; empty: it is valid.
std::string schema_faults(const std::string& document, const std::string& schema = "Message.xsd");

}  // namespace wattmesh::test
