#include "protocol/cosem/class_table.h"

#include <catch2/catch.hpp>
#include <set>

#include "protocol/cosem/clock.h"
#include "protocol/cosem/monitors.h"
#include "protocol/cosem/security_setup.h"

using namespace wattmesh;
using namespace wattmesh::cosem;

namespace {
template <class Spec>
void ids_ascend(std::span<const Spec> specs) {
    std::int8_t last = 0;
    std::set<std::string_view> names;
    for (const auto& spec : specs) {
        INFO(spec.name);
        CHECK(spec.id > last);
        CHECK_FALSE(spec.name.empty());
        CHECK(names.insert(spec.name).second);
        last = spec.id;
    }
}
}  // namespace

TEST_CASE("class table: classes ascend, ids ascend, names are there and unique", "[cosem]") {
    std::pair<int, int> last{0, 0};
    for (const auto* spec : classes()) {
        INFO(spec->name << " " << spec->class_id << "/" << int{spec->version});
        const std::pair<int, int> present{spec->class_id, spec->version};
        CHECK(last < present);
        last = present;
        CHECK_FALSE(spec->name.empty());
        REQUIRE(spec->attributes.size() >= 2);
        CHECK(spec->attributes[0].id == 1);
        CHECK(spec->attributes[0].name == "logical_name");
        CHECK(static_cast<std::size_t>(spec->attributes.back().id) == spec->attributes.size());
        ids_ascend(spec->attributes);
        ids_ascend(spec->methods);
        for (const auto& attribute : spec->attributes) CHECK(attribute.check != nullptr);
    }
}

TEST_CASE("class table: every class that the contract names is here", "[cosem]") {
    for (const int id : {1,  3,  4,  5,  6,  7,  8,  9,  10, 11, 15, 17, 18,  19,  20,  21,  22, 23,
                         28, 29, 40, 41, 42, 45, 47, 64, 68, 70, 71, 72, 111, 112, 113, 115, 116}) {
        INFO(id);
        CHECK(find_class(static_cast<std::uint16_t>(id)) != nullptr);
    }
    CHECK(find_class(2) == nullptr);
    CHECK(find_class(8, 9) == nullptr);
    CHECK(find_class(64, 0)->attributes.size() == 5);
    CHECK(find_class(64)->version == 1);
    CHECK(find_class(15, 0)->attributes.size() == 8);
}

TEST_CASE("conforms: takes what the table says and names what it refuses", "[cosem]") {
    using dlms::Data;
    const auto good = conforms(clock::spec, 3, Data{std::int16_t{-60}});
    REQUIRE(good);
    CHECK((*good)->name == "time_zone");

    const auto wrong = conforms(clock::spec, 3, Data{std::uint32_t{60}});
    REQUIRE_FALSE(wrong);
    CHECK(wrong.error() == Misfit{Fault::bad_tag, "clock", "time_zone", ""});
    CHECK(to_string(wrong.error()) == "clock.time_zone: bad_tag");

    CHECK(conforms(clock::spec, 10, Data{}).error().fault == Fault::unexpected);
    CHECK(conforms(disconnect_control::spec, 4, Data{dlms::Enum{6}}));
    CHECK(conforms(disconnect_control::spec, 4, Data{dlms::Enum{7}}).error().fault == Fault::bad_value);

    // the third element of emergency_profile is a double-long-unsigned
    const Data profile =
        dlms::structure({std::uint16_t{1}, dlms::octet_string(Buffer(12, 0xFF)), std::uint16_t{60}});
    CHECK(to_string(conforms(limiter::spec, 8, profile).error()) == "limiter.emergency_profile[3]: bad_tag");
}

TEST_CASE("conforms_method: looks into the argument", "[cosem]") {
    using dlms::Data;
    CHECK(conforms_method(disconnect_control::spec, 1, Data{std::int8_t{0}}));
    CHECK_FALSE(conforms_method(disconnect_control::spec, 1, std::nullopt));
    CHECK(conforms_method(disconnect_control::spec, 3, Data{std::int8_t{0}}).error().fault ==
          Fault::unexpected);
    const Data keys = dlms::array({dlms::structure({dlms::Enum{0}, dlms::octet_string(Buffer(24, 1))}),
                                   dlms::structure({dlms::Enum{4}, dlms::octet_string(Buffer(24, 1))})});
    CHECK(to_string(conforms_method(security_setup::spec_1, 2, keys).error()) ==
          "security_setup.key_transfer[2][1]: bad_value");
}

TEST_CASE("types: words are the standard's", "[cosem]") {
    CHECK(to_string(Type::uint32) == "double-long-unsigned");
    CHECK(to_string(Types{Type::octet_string, Type::date_time}) == "octet-string or date-time");
    CHECK(type_of(dlms::Data{std::int64_t{1}}) == Type::int64);
    CHECK(type_of(dlms::Data{dlms::DontCare{}}) == Type::dont_care);
}
