#include <catch2/catch.hpp>

#include "headend/database/asset_import.h"
#include "headend/database/audit_log.h"
#include "headend/database/scope.h"
#include "tests/db/town.h"

namespace wattmesh::test {
namespace {

constexpr TenantId ours{1};
constexpr const char* header = "kind,number,name,parent,since,replaces,final_wh,start_wh,area\n";

struct Network_ {
    AssetReport take(const std::string& lines, Instant now = quarter(400), bool dry_run = false) {
        AssetOptions options;
        options.tenant = ours;
        options.now = options.since = now;
        options.dry_run = dry_run;
        options.actor = "tim";
        options.file = "town.csv";
        limit(town.console, Scope::of(ours));
        return AssetImport{town.console}.run(header + lines, options);
    }
    /// Why the only line that is refused was refused.
    std::string refusal(const std::string& lines) {
        const auto report = take(lines);
        REQUIRE(report.refused == 1);
        for (const auto& line : report.lines)
            if (line.outcome == LineOutcome::refused) return std::to_string(line.line) + ": " + line.why;
        return {};
    }
    std::string plain =
        "substation,S1,North,,,,,,\nfeeder,F1,Mill road,S1,,,,,\ntransformer,TX-17,Church,F1,,,,,\n"
        "usage_point,U1,,TX-17,,,,,\nusage_point,U2,,TX-17,,,,,\ncustomer,C1,Ada Lovelace,U1,,,,,\n";
    std::string first = to_string(customer(0)), second = to_string(customer(1));
    Town town;
};

}  // namespace

TEST_CASE("assets: a list is taken line by line, and a second time changes nothing", "[db]") {
    Network_ network;
    const auto lines = network.plain + "meter," + network.first + ",,U1,2026-03-10,,,,\nconcentrator," +
                       to_string(unit) + ",,TX-17,2026-03-10,,,,\n";
    const auto rehearsed = network.take(lines, quarter(400), true);
    CHECK(rehearsed.accepted == 8);
    CHECK(network.town.value("select count(*) from network_node") == 0);
    const auto taken = network.take(lines);
    CHECK(taken.accepted == 8);
    CHECK(taken.complete());
    CHECK(taken.lines.at(0).why == "new");
    CHECK(taken.lines.at(6).why == "installed");
    CHECK(network.town.value("select count(*) from network_link") == 4);
    // 2026-03-10 00:00 in Asia/Kolkata is 18:30 UTC of the day before.
    CHECK(network.town.value("select from_us from meter_installation") ==
          epoch_us(midnight - std::chrono::minutes{330}));
    const auto again = network.take(lines, quarter(500));
    CHECK(again.unchanged == 8);
    CHECK(again.accepted + again.refused == 0);
}

TEST_CASE("assets: a line that is wrong says the field and the way out, and stops no other", "[db]") {
    Network_ network;
    network.take(network.plain + "meter," + network.first + ",,U1,2026-03-10,,,,\n");
    using Catch::Matchers::Contains;
    CHECK(network.refusal("substation,,North,,,,,,\n") == "2: field \"number\" is blank");
    CHECK(network.refusal(",S2,North,,,,,,\n") == "2: field \"kind\" is blank");
    CHECK(network.refusal("feeder,F9,,S1,,,,,\n") == "2: field \"name\" is blank");
    CHECK_THAT(network.refusal("pole,P1,x,,,,,,\n"), Contains("field \"kind\" is none of"));
    CHECK_THAT(network.refusal("feeder,F2,x,S1,,,,,\nfeeder,F2,x,S1,,,,,\n"),
               Contains("3: line 2 has this feeder already"));
    CHECK_THAT(network.refusal("feeder,F3,x,S9,,,,,\n"), Contains("there is no substation \"S9\""));
    CHECK_THAT(network.refusal("transformer,TX-1,x,S1,,,,,\n"), Contains("there is no feeder \"S1\""));
    CHECK_THAT(network.refusal("feeder,F4,x,S1,2026-02-30,,,,\n"), Contains("neither YYYY-MM-DD"));
    CHECK_THAT(network.refusal("feeder,F4,x,S1,now,,,,\n"), Contains("neither YYYY-MM-DD"));
    CHECK_THAT(network.refusal("feeder,F4,x,S1,2036-01-01,,,,\n"), Contains("future"));
    CHECK_THAT(network.refusal("feeder,F4,x,S1,,,,,Mars\n"), Contains("there is no area \"Mars\""));
    CHECK_THAT(network.refusal("meter,540000099999,,U2,,,,,\n"), Contains("import its shipment first"));
    CHECK_THAT(network.refusal("meter,12,,U2,,,,,\n"), Contains("not a device number"));
    CHECK_THAT(network.refusal("meter," + network.second + ",,U1,,,,,\n"),
               Contains("the number changed: usage_point U1 has meter " + network.first));
    CHECK_THAT(network.refusal("meter," + network.second + ",,U2,," + network.first + ",,,\n"),
               Contains("there is no meter at usage_point U2"));
    CHECK_THAT(network.refusal("meter," + network.first + ",,U2,,,,,\n"),
               Contains("it is installed at usage_point U1"));
    CHECK_THAT(network.refusal("meter," + network.second + ",,U1,2026-03-09," + network.first + ",,,\n"),
               Contains("\"since\" is not after"));
    CHECK_THAT(network.refusal("feeder,F5,a,b\n"), Contains("4 cells"));
    const auto mixed = network.take("feeder,F7,x,S9,,,,,\nfeeder,F8,x,S1,,,,,\n");
    CHECK(mixed.refused == 1);
    CHECK(mixed.accepted == 1);
    AssetOptions options;
    options.tenant = ours;
    CHECK_THROWS_WITH(AssetImport{network.town.console}.run("kind,colour\n", options), Contains("colour"));
}

TEST_CASE("assets: an exchange keeps both meters, their registers and both times", "[db]") {
    Network_ network;
    network.take(network.plain + "meter," + network.first + ",,U1,2026-03-01,,,,\n");
    const auto exchanged =
        network.take("meter," + network.second + ",,U1,2026-03-10T10:07," + network.first + ",120500,40,\n");
    REQUIRE(exchanged.complete());
    CHECK(exchanged.lines.at(0).why == "exchanged");
    const auto at = std::to_string(epoch_us(midnight + std::chrono::minutes{10 * 60 + 7 - 330}));
    CHECK(network.town.value(
              "select count(*) from meter_installation i join meter_installation j on i.node = j.node and "
              "i.to_us = j.from_us and i.to_us = " +
              at) == 1);
    CHECK(network.town.value(
              "select sum(value) from register_reading where source = 'exchange' and at_us = " + at) ==
          120'540);
    // The old meter may be used again elsewhere, but not for a time in which it hung at U1.
    CHECK(network.take("meter," + network.first + ",,U2,2026-03-05,,,,\n").refused == 1);
    CHECK(network.take("meter," + network.first + ",,U2,2026-03-11,,,,\n").complete());
    bool found = false;
    for (const auto& record : AuditLog{network.town.admin}.latest(20))
        found = found ||
                (record.action == "meter exchange" && record.subject == "U1" &&
                 record.before == network.first && record.after == network.second && record.actor == "tim");
    CHECK(found);
}

TEST_CASE("assets: what moves keeps its past, and two ties of one thing never overlap", "[db]") {
    Network_ network;
    network.take(network.plain, quarter(100));
    const auto moved =
        network.take("transformer,TX-18,Market,F1,,,,,\nusage_point,U1,,TX-18,2026-03-14,,,,\n");
    CHECK(moved.lines.at(1).why == "moved to TX-18");
    CHECK(network.town.value(
              "select count(*) from network_link l join network_node n on n.id = l.node where n.number = "
              "'U1'") == 2);
    CHECK_THROWS_AS(
        network.town.admin.execute(
            "insert into network_link (node, kind, parent, from_us, to_us, tenant, area) select node, kind, "
            "parent, 5, to_us, tenant, area from network_link where kind = 4 limit 1",
            "tying twice"),
        DatabaseError);
    const auto named = network.take("customer,C1,Ada King,U2,2026-03-14,,,,\n");
    CHECK(named.lines.at(0).why == "changed, supplied at U2");
}

TEST_CASE("assets: a file hangs nothing under what lies in another area", "[db]") {
    Network_ network;
    network.take(network.plain);
    network.town.admin.execute("insert into area values (2, 1, 'East')", "drawing areas");
    limit(network.town.console, Scope::of(ours, {AreaId{2}}));
    AssetOptions options;
    options.tenant = ours;
    options.now = options.since = quarter(400);
    const auto report = AssetImport{network.town.console}.run(
        std::string{header} +
            "feeder,F6,x,S1,,,,,\nfeeder,F1,stolen,S1,,,,,\nsubstation,S5,East,,,,,,East\nmeter," +
            network.first + ",,U1,,,,,\nsubstation,S6,North,,,,,,Area 1\n",
        options);
    CHECK(report.refused == 4);
    CHECK(report.accepted == 1);
}

}  // namespace wattmesh::test
