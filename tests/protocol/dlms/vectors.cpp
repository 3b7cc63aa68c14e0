#include "tests/protocol/dlms/vectors.h"

#include <Poco/JSON/Parser.h>

#include <catch2/catch.hpp>
#include <fstream>

namespace wattmesh::dlms::test {

namespace {

/// ctest runs the tests from the root of the tree.
Poco::JSON::Object::Ptr file() {
    static const auto root = [] {
        std::ifstream in{"tests/vectors/dlms.json"};
        return Poco::JSON::Parser{}.parse(in).extract<Poco::JSON::Object::Ptr>();
    }();
    return root;
}

}  // namespace

Buffer octets(std::string_view hex) {
    auto bytes = from_hex(hex);
    REQUIRE(bytes);
    return *bytes;
}

const std::map<std::string, Buffer>& vectors() {
    static const auto all = [] {
        std::map<std::string, Buffer> by_id;
        const auto list = file()->getArray("vectors");
        for (unsigned i = 0; i < list->size(); ++i) {
            const auto entry = list->getObject(i);
            by_id[entry->getValue<std::string>("id")] = octets(entry->getValue<std::string>("hex"));
        }
        return by_id;
    }();
    return all;
}

Buffer vector(const std::string& id) {
    INFO("vector " << id);
    const auto found = vectors().find(id);
    REQUIRE(found != vectors().end());
    return found->second;
}

Buffer hls_value(const std::string& name) {
    return octets(file()->getObject("hls")->getValue<std::string>(name));
}

}  // namespace wattmesh::dlms::test
