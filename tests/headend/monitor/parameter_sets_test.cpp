#include "headend/monitor/parameter_sets.h"

#include <catch2/catch.hpp>

#include "headend/monitor/parameter_desk.h"
#include "protocol/cosem/models/models.h"

using namespace wattmesh;
using namespace wattmesh::headend::monitor;

TEST_CASE("parameter sets: what is no template is refused, in words", "[monitor]") {
    struct Row {
        ParameterKind kind;
        const char* content;
        const char* says;
    };
    const auto day = [](const char* rest) {
        return std::string{R"({"name":"A","days":[{"id":1,"switches":[{"at":"06:00","rate":1}]}],)"} + rest +
               "}";
    };
    const std::string
        week_unknown = day(R"("weeks":[{"name":"W","days":[1,1,1,1,1,1,2]}],"seasons":[])"),
        week_null = day(R"("weeks":[{"name":"W","days":[1,1,1,1,1,1,null]}],"seasons":[])"),
        week_short = day(R"("weeks":[{"name":"W","days":[1]}],"seasons":[])"),
        season = day(
            R"("weeks":[{"name":"W","days":[1,1,1,1,1,1,1]}],"seasons":[{"name":"S","from":"01-01","week":"X"}])");
    const Row rows[] = {
        {ParameterKind::limits, "[]", "JSON object"},
        {ParameterKind::limits, R"({"watts":5000})", "'over_s'"},
        {ParameterKind::limits, R"({"watts":null,"over_s":60})", "'watts'"},
        {ParameterKind::limits, R"({"watts":18446744073709551615,"over_s":60})", "'watts'"},
        {ParameterKind::limits, R"({"watts":50,"over_s":60})", "100 to 10000000"},
        {ParameterKind::limits, R"({"watts":"5000","over_s":60})", "'watts'"},
        {ParameterKind::limits, R"({"watts":5000,"over_s":60,"action":1})", "'action'"},
        {ParameterKind::special_days, R"({"days":[]})", "'days'"},
        {ParameterKind::special_days, R"({"days":[{"date":"2027-02-29","day":1}]})", "'date'"},
        {ParameterKind::special_days, R"({"days":[{"date":"13-01","day":1}]})", "'date'"},
        {ParameterKind::special_days, R"({"days":[{"date":"1-1","day":1}]})", "'date'"},
        {ParameterKind::push, R"({"destination":"","retries":1,"delay_s":1,"spread_s":1})", "'destination'"},
        {ParameterKind::push, R"({"destination":"a:1","retries":256,"delay_s":1,"spread_s":1})", "'retries'"},
        {ParameterKind::tariff_calendar, week_unknown.c_str(), "day 2"},
        {ParameterKind::tariff_calendar, week_short.c_str(), "seven"},
        {ParameterKind::tariff_calendar, week_null.c_str(), "day null"},
        {ParameterKind::tariff_calendar, season.c_str(), "week X"},
    };
    for (const auto& row : rows) {
        CAPTURE(row.content);
        CHECK_THROWS_WITH(members_of(row.kind, row.content, cosem::models::generic),
                          Catch::Contains(row.says));
    }
}

TEST_CASE("parameter sets: a model without the object has no members", "[monitor]") {
    const std::string limits = R"({"watts":5000,"over_s":60})";
    CHECK(members_of(ParameterKind::limits, limits, cosem::models::generic)->size() == 2);
    CHECK_FALSE(members_of(ParameterKind::limits, limits, *cosem::meter_model("dsmr")));
}

TEST_CASE("parameter sets: only what differs is written, with the meter's type; a calendar whole",
          "[monitor]") {
    const auto limits =
        *members_of(ParameterKind::limits, R"({"watts":5000,"over_s":60})", cosem::models::generic);
    CHECK(limits[0].name == "threshold_normal");
    std::vector<dlms::Data> shown{dlms::Data{std::uint16_t{5000}}, dlms::Data{std::uint32_t{60}}};
    CHECK(steps_to(limits, shown).empty());
    shown[0] = dlms::Data{std::uint16_t{4000}};
    const auto steps = steps_to(limits, shown);
    REQUIRE(steps.size() == 1);
    const auto& write = std::get<MeterErrand::Write>(steps[0]);
    CHECK(write.attribute == limits[0].attribute);
    CHECK(write.value == dlms::Data{std::uint16_t{5000}});
    shown[0] = dlms::Data{std::uint8_t{1}};  // too narrow for it: written as it is
    CHECK(std::get<MeterErrand::Write>(steps_to(limits, shown).at(0)).value ==
          dlms::Data{std::uint32_t{5000}});

    const auto calendar = *members_of(
        ParameterKind::tariff_calendar,
        R"({"name":"A","days":[{"id":1,"switches":[{"at":"22:00","rate":2},{"at":"06:00","rate":1}]}],"weeks":[{"name":"W",)"
        R"("days":[1,1,1,1,1,1,1]}],"seasons":[{"name":"S","from":"04-01","week":"W"}]})",
        cosem::models::generic);
    REQUIRE(calendar.size() == 4);
    std::vector<dlms::Data> held;
    for (const auto& member : calendar) held.push_back(member.value);
    CHECK(steps_to(calendar, held).empty());
    held[2] = dlms::Data{};
    const auto whole = steps_to(calendar, held);
    REQUIRE(whole.size() == 5);
    for (std::size_t i = 0; i < 4; ++i)
        CHECK(std::get<MeterErrand::Write>(whole[i]).attribute.attribute ==
              calendar[i].attribute.attribute + 4);
    CHECK(std::get<MeterErrand::Call>(whole[4]).method.method == 1);
    // the day begins with its first switch, whatever the order they were written in
    const auto& first_switch = (*calendar[3].value.elements())[0].elements()->at(1).elements()->at(0);
    CHECK(first_switch.elements()->at(0).octets()[0] == 6);
}
