#pragma once
#include <Poco/JSON/Object.h>

#include <optional>
#include <string>
#include <vector>

#include "protocol/sts/key_change.h"
#include "protocol/sts/meter_pan.h"
#include "protocol/sts/opening.h"

/// Published tokens, tests/vectors/sts. ctest runs the tests from the root of the tree.
namespace wattmesh::sts::test {

using Row = Poco::JSON::Object::Ptr;

Row file(const std::string& name);
std::vector<Row> rows(const std::string& name, const std::string& member = "vectors");
std::string text(const Row& row, const char* member);
/// Hexadecimal, with or without 0x.
std::uint64_t hex(const Row& row, const char* member);
/// "2004-03-01T13:55:00Z".
Instant instant(const std::string& text);

MeterPan pan(const std::string& digits);
KeyAttributes attributes(const Row& row);
Algorithm algorithm(const Row& row);
/// As the row's vending key, meter and attributes give it.
DecoderKey derived(const Row& row);
DecoderKey decoder_key(const std::string& hex);

/// What the row says its token holds.
Content content(const Row& row);
Token token(const std::string& digits);

/// Unlike the contents themselves, which hold key material, comparable.
std::string words(const Content& content);

}  // namespace wattmesh::sts::test
