#include <catch2/catch.hpp>
#include <set>

#include "security/ciphers.h"
#include "terminal-sim/field/assets.h"
#include "terminal-sim/field/field_state.h"
#include "terminal-sim/field/prepaid_town.h"
#include "terminal-sim/field/shipment.h"
#include "tests/terminal-sim/field/scratch.h"

using namespace wattmesh;
using namespace wattmesh::sim;

namespace {

LayoutRequest request(std::size_t meters, std::size_t concentrators, std::uint64_t seed = 1) {
    LayoutRequest made;
    made.meters = meters;
    made.concentrators = concentrators;
    made.seed = seed;
    made.summary_meters = true;
    return made;
}

void replace_in(const std::filesystem::path& file, const std::string& what, const std::string& with) {
    std::string text = content_of(file);
    const auto at = text.find(what);
    REQUIRE(at != std::string::npos);
    text.replace(at, what.size(), with);
    std::ofstream(file, std::ios::binary) << text;
}

}  // namespace

TEST_CASE("town: every meter has a number of its own, a load, a clock and a concentrator", "[sim]") {
    const Town town = make_town(request(200, 2));
    REQUIRE(town.meters.size() == 202);
    REQUIRE(town.concentrators.size() == 2);
    CHECK(to_string(town.concentrators[1]) == "900000000002");
    std::set<DeviceNumber> numbers(town.concentrators.begin(), town.concentrators.end());
    std::map<LoadKind, int> kinds;
    std::map<DeviceNumber, int> summaries;
    int solar = 0, drifting = 0;
    for (const auto& meter : town.meters) {
        CHECK(numbers.insert(meter.number).second);
        ++kinds[meter.kind];
        solar += meter.solar ? 1 : 0;
        drifting += meter.drift_ppm != 0 ? 1 : 0;
        CHECK(std::abs(meter.drift_ppm) <= 20);
        if (meter.kind == LoadKind::summary) ++summaries[meter.concentrator];
    }
    CHECK(kinds[LoadKind::household] > 140);
    CHECK(kinds[LoadKind::shop] > 8);
    CHECK(kinds[LoadKind::factory] > 0);
    CHECK(solar > 4);
    CHECK(drifting > 150);
    CHECK(summaries == std::map<DeviceNumber, int>{{town.concentrators[0], 1}, {town.concentrators[1], 1}});
    CHECK(make_town(request(200, 2)).meters == town.meters);
    CHECK(make_town(request(200, 2, 2)).meters != town.meters);
}

TEST_CASE("town and shipment: files come back as they were, readable by the owner only", "[sim]") {
    const Scratch scratch;
    const Town town = make_town(request(30, 2, 9));
    security::SystemRandom random;
    const Shipment shipment = make_shipment(town, random);
    write_town(scratch.path / "town.json", town);
    write_shipment(scratch.path / "shipment.json", town, shipment);
    for (const char* file : {"town.json", "shipment.json"})
        CHECK(std::filesystem::status(scratch.path / file).permissions() == std::filesystem::perms{0600});

    const Town same = read_town(scratch.path / "town.json");
    CHECK(same.meters == town.meters);
    CHECK(same.concentrators == town.concentrators);
    CHECK(same.request.seed == 9);
    const Shipment delivered = read_shipment(scratch.path / "shipment.json");
    REQUIRE(delivered.size() == shipment.size());
    std::set<std::string> keys;
    for (const auto& [number, made] : shipment) {
        const MeterKeys& read = delivered.at(number);
        const auto check_same = [&](const auto& one, const auto& other) {
            CHECK(to_hex(one.reveal()) == to_hex(other.reveal()));
            CHECK(keys.insert(to_hex(one.reveal())).second);  // no key twice
        };
        check_same(made.management.encryption, read.management.encryption);
        check_same(made.management.authentication, read.management.authentication);
        check_same(made.reading.encryption, read.reading.encryption);
        check_same(made.reading.authentication, read.reading.authentication);
        check_same(made.join, read.join);
        check_same(made.management.master.value(), read.management.master.value());
        CHECK(made.lls_password == read.lls_password);
        CHECK(made.lls_password.size() == 16);
    }
}

TEST_CASE("town and shipment: what is wrong in a file is named, and no key is shown", "[sim]") {
    const Scratch scratch;
    const Town town = make_town(request(5, 1));
    security::SystemRandom random;
    const Shipment shipment = make_shipment(town, random);
    const auto town_file = scratch.path / "town.json", keys_file = scratch.path / "shipment.json";
    write_town(town_file, town);
    write_shipment(keys_file, town, shipment);
    const std::string key = to_hex(shipment.begin()->second.join.reveal());

    CHECK_THROWS_WITH(read_town(scratch.path / "none.json"),
                      Catch::Contains("none.json") && Catch::Contains("provision"));
    CHECK_THROWS_WITH(read_town(keys_file), Catch::Contains("not a town file"));
    CHECK_THROWS_WITH(read_shipment(town_file), Catch::Contains("not a shipment file"));
    replace_in(town_file, "\"customers\":5", "\"customers\":6");
    CHECK_THROWS_WITH(read_town(town_file), Catch::Contains("customers"));
    replace_in(town_file, "\"seed\"", "\"sead\"");
    CHECK_THROWS_WITH(read_town(town_file), Catch::Contains("\"seed\""));
    replace_in(keys_file, key, key.substr(1));
    CHECK_THROWS_WITH(read_shipment(keys_file),
                      Catch::Contains("32 hexadecimal digits") && !Catch::Contains(key.substr(1)));
    replace_in(keys_file, "{", "");
    CHECK_THROWS_WITH(read_shipment(keys_file), Catch::Contains("not one JSON object"));
}

TEST_CASE("field state: comes back as it was; every truncation is refused", "[sim]") {
    FieldState state;
    state.installed_at = from_epoch_us(1'700'000'000'000'000);
    const auto first = *DeviceNumber::parse("540000000001"), second = *DeviceNumber::parse("540000000002");
    state.devices[first] = {{{Deed::Kind::clock_set, from_epoch_us(5), from_epoch_us(6)},
                             {Deed::Kind::disconnected, from_epoch_us(7), {}}},
                            {1, 2, 3}};
    state.devices[second] = {};
    const Buffer encoded = encode(state);
    const auto decoded = decode_field_state(encoded);
    REQUIRE(decoded);
    CHECK(decoded->installed_at == state.installed_at);
    CHECK(decoded->devices.at(first).deeds == state.devices.at(first).deeds);
    CHECK(decoded->devices.at(first).node == Buffer{1, 2, 3});
    CHECK(decoded->devices.at(second).node.empty());
    for (std::size_t size = 0; size < encoded.size(); ++size)
        CHECK_FALSE(decode_field_state(Bytes{encoded}.first(size)).has_value());
    Buffer longer = encoded;
    longer.push_back(0);
    CHECK(decode_field_state(longer).error() == Error{Fault::trailing, encoded.size()});
    Buffer endless = encoded;
    endless[12] = endless[13] = 0xFF;  // more devices than octets
    CHECK_FALSE(decode_field_state(endless).has_value());

    const Scratch scratch;
    CHECK_FALSE(read_field_state(scratch.path / "none").has_value());
    {
        std::ofstream(scratch.path / "bad", std::ios::binary) << "hello";
    }
    CHECK_THROWS_WITH(read_field_state(scratch.path / "bad"),
                      Catch::Contains("bad") && Catch::Contains("--state"));
}

TEST_CASE("town: the utility's list has every meter and concentrator once, parents before children",
          "[sim]") {
    const Scratch scratch;
    const Town town = make_town(request(40, 3), {.collectors = 1, .meters_each = 4});
    const auto file = scratch.path / "assets.csv";
    write_assets(file, town);
    std::istringstream lines{content_of(file)};
    std::set<std::string> seen;
    std::map<std::string, int> kinds;
    std::string line;
    std::getline(lines, line);
    while (std::getline(lines, line)) {
        std::vector<std::string> cells(1);
        for (const char c : line) c == ',' ? cells.emplace_back() : cells.back() += c;
        CAPTURE(line);
        REQUIRE(cells.size() == 7);
        CHECK(seen.insert(cells[1]).second);
        CHECK((cells[0] == "substation" || seen.contains(cells[3])));
        ++kinds[cells[0]];
    }
    CHECK(kinds == std::map<std::string, int>{{"substation", 1},
                                              {"feeder", 2},
                                              {"transformer", 3},
                                              {"concentrator", 3},
                                              {"usage_point", 44},
                                              {"meter", 47},
                                              {"customer", 44}});
}

TEST_CASE("town and shipment: prepayment meters come back as they were made", "[sim]") {
    const Scratch scratch;
    const Town town = make_town(request(60, 2, 9));
    security::SystemRandom random;
    Shipment shipment = make_shipment(town, random);
    make_prepaid(shipment, town, 8, *sts::VendingKey::from(Buffer(20, 0xAB)));
    REQUIRE(shipment.prepaid.size() == 8);
    write_shipment(scratch.path / "shipment.json", town, shipment);
    const Shipment same = read_shipment(scratch.path / "shipment.json");
    REQUIRE(same.prepaid.size() == 8);
    int remote = 0;
    for (const auto& [number, made] : shipment.prepaid) {
        const auto& read = same.prepaid.at(number);
        CHECK(read.pan == made.pan);
        CHECK(read.key == made.key);
        CHECK(to_hex(read.decoder_key.reveal()) == to_hex(made.decoder_key.reveal()));
        CHECK(read.balance == made.balance);
        CHECK(read.reconnection == made.reconnection);
        remote += registry_model(shipment, number) == "WM-SIM-3R" ? 1 : 0;
    }
    CHECK(remote == 2);
    CHECK(content_of(scratch.path / "shipment.json").find("WM-SIM-3P") != std::string::npos);
    write_books(scratch.path / "books.jsonl", town, shipment);
    const auto books = content_of(scratch.path / "books.jsonl");
    CHECK(std::count(books.begin(), books.end(), '\n') == 2 + 2 * 8);
    CHECK_THROWS_WITH(make_prepaid(shipment, town, 60, *sts::VendingKey::from(Buffer(20, 0xAB))),
                      Catch::Contains("--prepaid"));
    replace_in(scratch.path / "shipment.json", "\"reconnection\":\"by_itself\"",
               "\"reconnection\":\"never\"");
    CHECK_THROWS_WITH(read_shipment(scratch.path / "shipment.json"), Catch::Contains("\"reconnection\""));
}
