#include <catch2/catch.hpp>

#include "headend/database/audit_log.h"
#include "headend/database/collectors.h"
#include "headend/database/counter_blocks.h"
#include "headend/database/shipment_import.h"
#include "headend/monitor/sealed_keys.h"
#include "tests/db/town.h"

using namespace wattmesh;
using namespace wattmesh::test;
using security::TransportKey;

namespace {

const security::FileMasterKey master{security::Key256{std::array<std::uint8_t, 32>{7}}};
const TransportKey transport{from_hex("000102030405060708090A0B0C0D0E0F").value()};
// RFC 3394 4.1: this key under the transport key above.
const std::string key_a = "00112233445566778899AABBCCDDEEFF",
                  wrapped_a = "1FA68B0A8112B447AEF34BD8FB5A7B829D3E862371D2CFE5";
const std::string key_b(32, 'B');
const std::string header = "{\"wattmesh\":\"shipment\",\"version\":2}\n";

std::string field(const std::string& name, const std::string& value) {
    return ",\"" + name + "\":\"" + value + "\"";
}
std::string who(const DeviceNumber& number) {
    return "{\"number\":\"" + to_string(number) + "\"" +
           field("system_title", to_hex(system_title(number).octets));
}
std::string keys(const std::string& key) {
    return field("ek_management", key) + field("ak_management", key) + field("ek_reading", key) +
           field("ak_reading", key) + field("join", key);
}
std::string meter_line(const DeviceNumber& meter, const std::string& key, const std::string& more = {}) {
    return who(meter) + field("model", "WM-SIM-3") + field("concentrator", "900000000001") + keys(key) +
           more + "}\n";
}

ShipmentOptions plain(bool replace = false) {
    ShipmentOptions options;
    options.now = options.installed = midnight;
    options.keys.plain = true;
    options.replace = replace;
    options.actor = "tester";
    options.file = "test.jsonl";
    return options;
}
ShipmentOptions wrapped() {
    auto options = plain();
    options.keys = {.transport = transport, .plain = false};
    return options;
}
std::string opened(Town& town, int meter, KeyPurpose purpose) {
    const auto id = Meters{town.monitor}.find(customer(meter)).value().id;
    const auto sealed = Keys{town.monitor}.find(id, purpose);
    if (!sealed) return "none";
    const auto plain_text = master.unwrap(headend::monitor::purpose_of(customer(meter), purpose), *sealed);
    return plain_text ? to_hex(plain_text->reveal()) : "does not unwrap";
}

}  // namespace

TEST_CASE("shipment: wrapped keys of JSON lines and of CSV arrive, sealed each for its own row", "[db]") {
    Town town{0};
    const auto title = [](int i) { return to_hex(system_title(customer(i)).octets); };
    const auto password = to_hex(transport.wrap_secret(as_bytes("PASSWORD")));
    std::string text;
    SECTION("JSON lines") {
        text = header + "\n" + meter_line(customer(0), wrapped_a, field("lls_password", password)) +
               meter_line(customer(1), wrapped_a);
    }
    SECTION("CSV as a spreadsheet writes it") {
        const std::string five =
            wrapped_a + ";" + wrapped_a + ";" + wrapped_a + ";" + wrapped_a + ";" + wrapped_a;
        text =
            "\xEF\xBB\xBFnumber;system_title;model;serial;concentrator;ek_management;ak_management;ek_"
            "reading;"
            "ak_reading;join;lls_password\r\n" +
            to_string(customer(0)) + ";" + title(0) + ";WM-SIM-3;\"A \"\"1\"\";2\";900000000001;" + five +
            ";" + password + "\r\n" + to_string(customer(1)) + ";" + title(1) + ";WM-SIM-3;;;" + five +
            ";\r\n";
    }
    ShipmentImport import{town.admin, master};
    const auto first = import.run(text, wrapped());
    for (const auto& line : first.lines) CHECK(line.why == "new");
    CHECK(first.accepted == 2);
    CHECK(first.meters_new == 2);
    CHECK(first.complete());
    for (const auto purpose : {KeyPurpose::management_ek, KeyPurpose::management_ak, KeyPurpose::reading_ek,
                               KeyPurpose::reading_ak, KeyPurpose::mesh_join})
        CHECK(opened(town, 0, purpose) == key_a);
    CHECK(opened(town, 0, KeyPurpose::lls_password) == "0850415353574F524400000000000000");
    CHECK(opened(town, 1, KeyPurpose::lls_password) == "none");
    const auto id = Meters{town.monitor}.find(customer(0)).value().id;
    const auto sealed = Keys{town.monitor}.find(id, KeyPurpose::reading_ek).value();
    CHECK_FALSE(master.unwrap(headend::monitor::purpose_of(customer(1), KeyPurpose::reading_ek), sealed));

    const auto again = import.run(text, wrapped());
    CHECK(again.unchanged == 2);
    CHECK(again.accepted + again.refused == 0);
    const auto audit = AuditLog{town.admin}.latest(1).at(0);
    CHECK(audit.actor == "tester");
    CHECK(audit.subject == "test.jsonl");
    CHECK_THAT(audit.detail, Catch::Contains(to_hex(security::sha256(as_bytes(text)))));
}

TEST_CASE("shipment: a collector has a key to join with and no other", "[db]") {
    Town town{0};
    ShipmentImport import{town.admin, master};
    const auto box = number("700000000001");
    const auto line = [&](const std::string& key, const std::string& more = {}) {
        return header + "{\"device\":\"collector\"," + who(box).substr(1) +
               field("concentrator", "900000000001") + field("join", key) + more + "}\n";
    };
    CHECK(import.run(line(key_a), plain()).lines.at(0).why == "new");
    CHECK(import.run(line(key_a), plain()).unchanged == 1);
    headend::database::Collectors collectors{town.monitor};
    CHECK(collectors.of(town.id) == std::vector{box});
    const auto sealed = collectors.join_keys_of(town.id).at(0).sealed;
    const auto opened_key = master.unwrap(headend::monitor::purpose_of(box, KeyPurpose::mesh_join), sealed);
    REQUIRE(opened_key);
    CHECK(to_hex(opened_key->reveal()) == key_a);
    CHECK_THAT(import.run(line(key_b), plain()).lines.at(0).why, Catch::Contains("another key"));
    CHECK(import.run(line(key_b), plain(true)).lines.at(0).why == "changed");
    CHECK_THAT(import.run(line(key_b, field("ek_management", key_a)), plain()).lines.at(0).why,
               Catch::Contains("\"ek_management\" is unknown"));
    // one number, one device
    CHECK_THAT(import.run(header + meter_line(box, key_a), plain()).lines.at(0).why,
               Catch::Contains("a collector has this number"));
    CHECK(import.run(header + meter_line(customer(0), key_a), plain()).accepted == 1);
    const auto thief = header + "{\"device\":\"collector\"," + who(customer(0)).substr(1) +
                       field("concentrator", "900000000001") + field("join", key_a) + "}\n";
    CHECK_THAT(import.run(thief, plain()).lines.at(0).why, Catch::Contains("a meter has this number"));
}

TEST_CASE("shipment: a line that is wrong is named and refused, the others are imported", "[db]") {
    Town town{0};
    struct Row {
        const char* why;
        std::string line, says;
    };
    const auto other = customer(1);
    const auto row = GENERATE_COPY(values<Row>({
        {"short key", meter_line(other, "AB"), "ek_management"},
        {"a wrapped key among plain ones", meter_line(other, wrapped_a), "ek_management"},
        {"unknown model", who(other) + field("model", "X-1") + keys(key_a) + "}\n", "meter_model"},
        {"no model", who(other) + keys(key_a) + "}\n", "\"model\" is missing"},
        {"no reading keys",
         who(other) + field("model", "WM-SIM-3") + field("ek_management", key_a) +
             field("ak_management", key_a) + "}\n",
         "reading_ek"},
        {"number too short", "{\"number\":\"12\"}\n", "12 decimal digits"},
        {"number as a number", "{\"number\":540000000001,\"model\":\"WM-SIM-3\"}\n",
         "\"system_title\" is missing"},
        {"not an object", "5\n", "not an object"},
        {"a list", "[1]\n", "list"},
        {"not JSON", "{\"number\":\"540000000001\n", "not valid JSON"},
        {"two objects", "{\"number\":\"540000000001\"} {}\n", "not valid JSON"},
        {"a member twice", "{\"number\":\"540000000001\",\"number\":\"540000000002\"}\n", "twice"},
        {"an object inside", "{\"number\":{\"a\":1}}\n", "flat"},
        {"null", "{\"number\":null}\n", "null"},
        {"a fraction", "{\"number\":1.5}\n", "whole number"},
        {"unknown field", meter_line(other, key_a, field("colour", "blue")), "\"colour\" is unknown"},
        {"a key where a name belongs", meter_line(other, key_a, ",\"" + key_b + "\":\"x\""),
         "does not look like a name"},
        {"a meter's field at a concentrator",
         "{\"device\":\"concentrator\"," + who(number("900000000002")).substr(1) + field("model", "X") +
             "}\n",
         "\"model\" is unknown"},
        {"unknown kind", who(other) + field("device", "toaster") + "}\n", "device"},
        {"twice", meter_line(customer(0), key_a), "earlier line"},
        {"title of another", "{\"number\":\"540000000001\",\"system_title\":\"0011223344556677\"}\n",
         "letters"},
        {"title of ours that does not fit",
         "{\"number\":\"540000000001\"" + field("system_title", to_hex(system_title(customer(5)).octets)) +
             "}\n",
         "does not fit"},
        {"unknown concentrator",
         who(other) + field("model", "WM-SIM-3") + field("concentrator", "900000000009") + keys(key_a) +
             "}\n",
         "concentrator"},
        {"role", meter_line(other, key_a, field("role", "boss")), "role"},
        {"suite", meter_line(other, key_a, field("suite", "3")), "suite"},
        {"keys of another suite", meter_line(other, key_a, field("suite", "2")), "64 hexadecimal digits"},
        {"endless line", "{\"number\":\"" + std::string(5'000, '1') + "\"}\n", "4096"},
        {"deep nesting", std::string(4'000, '[') + "\n", "list"},
    }));
    DYNAMIC_SECTION(row.why) {
        const auto report = ShipmentImport{town.admin, master}.run(
            header + meter_line(customer(0), key_a) + row.line + meter_line(customer(2), key_a), plain());
        REQUIRE(report.lines.size() == 3);
        CHECK(report.lines[1].outcome == LineOutcome::refused);
        CHECK(report.lines[1].line == 3);
        CHECK_THAT(report.lines[1].why, Catch::Contains(row.says));
        CHECK_THAT(report.lines[1].why, !Catch::Contains(key_a) && !Catch::Contains(key_b));
        CHECK(report.meters_new == 2);
        CHECK(report.refused == 1);
        CHECK(town.value("select count(*) from meter") == 2);
    }
}

TEST_CASE("shipment: a key in clear or under another transport key is refused where wrapped ones belong",
          "[db]") {
    Town town{0};
    ShipmentImport import{town.admin, master};
    const auto clear = import.run(header + meter_line(customer(0), key_a), wrapped());
    CHECK_THAT(clear.lines.at(0).why, Catch::Contains("in clear") && Catch::Contains("--plain-keys"));
    auto options = wrapped();
    options.keys.transport = TransportKey{from_hex(key_b).value()};
    const auto wrong = import.run(header + meter_line(customer(0), wrapped_a), options);
    CHECK_THAT(wrong.lines.at(0).why, Catch::Contains("right transport key"));
    const auto password =
        import.run(header + meter_line(customer(0), wrapped_a, field("lls_password", "SECRET")), wrapped());
    CHECK_THAT(password.lines.at(0).why, Catch::Contains("lls_password") && !Catch::Contains("SECRET"));
    CHECK(town.value("select count(*) from meter_key") == 0);
}

TEST_CASE("shipment: other keys for a known meter need consent, and then its counter may begin anew",
          "[db]") {
    Town town{0};
    ShipmentImport import{town.admin, master};
    import.run(header + meter_line(customer(0), key_a), plain());
    const auto id = Meters{town.admin}.find(customer(0)).value().id;
    KeyCounters counters{town.admin};
    const auto before = counters.reserve(id, KeyPurpose::management_ek, 64, midnight).value();
    counters.received(id, KeyPurpose::management_ek, 900, before.generation);

    const auto refused = import.run(header + meter_line(customer(0), key_b), plain());
    CHECK_THAT(refused.lines.at(0).why, Catch::Contains("--replace"));
    CHECK(opened(town, 0, KeyPurpose::management_ek) == key_a);
    CHECK(counters.reserve(id, KeyPurpose::management_ek, 64, midnight)->received == 900);

    const auto replaced = import.run(header + meter_line(customer(0), key_b), plain(true));
    CHECK(replaced.lines.at(0).why == "new keys");
    CHECK(replaced.keys_replaced == 1);
    CHECK(opened(town, 0, KeyPurpose::management_ek) == key_b);
    counters.received(id, KeyPurpose::management_ek, 901, before.generation);  // an answer under the old key
    const auto after = counters.reserve(id, KeyPurpose::management_ek, 64, midnight).value();
    CHECK(after.received == -1);
    CHECK(after.first > before.last);  // ours go on: the meter's memory is its own business
    CHECK(import.run(header + meter_line(customer(0), key_b), plain()).unchanged == 1);
}

TEST_CASE("shipment: what a later file says of a known meter is taken, what it leaves out stays", "[db]") {
    Town town{0};
    ShipmentImport import{town.admin, master};
    const auto bare = [](const std::string& more) {
        return header + who(customer(0)) + field("model", "WM-SIM-3") + more + "}\n";
    };
    import.run(header + meter_line(customer(0), key_a, field("serial", "A1") + field("role", "summary")),
               plain());
    CHECK(import.run(bare(""), plain()).unchanged == 1);
    CHECK(import.run(bare(field("serial", "A2")), plain()).lines.at(0).why == "changed");
    CHECK(import.run(bare(field("master_key", key_b)), plain()).lines.at(0).why == "changed");
    const auto meter = Meters{town.admin}.find(customer(0)).value();
    CHECK(meter.serial == "A2");
    CHECK(meter.role == dcu::MeterRole::summary);
    CHECK(meter.concentrator == town.id);
    CHECK(opened(town, 0, KeyPurpose::master) == key_b);
}

TEST_CASE("shipment: a foreign manufacturer's meter keeps its title, and no other may have it", "[db]") {
    Town town{0};
    ShipmentImport import{town.admin, master};
    const auto foreign = [](int i, const std::string& title) {
        return "{\"number\":\"" + to_string(customer(i)) + "\"" + field("system_title", title) +
               field("model", "WM-SIM-3") + keys(key_a) + "}\n";
    };
    import.run(header + foreign(0, "4B464D1000000001"), plain());
    CHECK(to_hex(Meters{town.admin}.find(customer(0)).value().title.octets) == "4B464D1000000001");
    CHECK_THAT(import.run(header + foreign(1, "4B464D1000000001"), plain(true)).lines.at(0).why,
               Catch::Contains(to_string(customer(0))));
    CHECK_THAT(import.run(header + foreign(0, "4B464D1000000002"), plain()).lines.at(0).why,
               Catch::Contains("--replace"));
    CHECK(import.run(header + foreign(0, "4B464D1000000002"), plain(true)).accepted == 1);
    CHECK_THAT(import.run(header + foreign(2, "4B464D1000000003") + foreign(3, "4B464D1000000003"), plain())
                   .lines.at(1)
                   .why,
               Catch::Contains("earlier line"));
}

TEST_CASE("shipment: a text that is no shipment is refused in words that show no key", "[db]") {
    Town town{0};
    ShipmentImport import{town.admin, master};
    const auto refuses = [&](const std::string& text, const std::string& says) {
        CHECK_THROWS_WITH(import.run(text, plain()), Catch::Contains(says) && !Catch::Contains(key_a));
    };
    refuses("", "empty");
    refuses("{\n", "JSON");
    refuses("{\"wattmesh\":\"town\",\"version\":2}\n", "version");
    refuses("{\"wattmesh\":\"shipment\",\"version\":1}\n", "version");
    refuses("number;colour\n", "\"colour\"");
    refuses("number,number\n", "twice");
    refuses("540000000001," + key_a + "\n", "not look like a name");
    CHECK(import.run("number,model\n540000000001\n", plain()).lines.at(0).why.find("cells") !=
          std::string::npos);
    CHECK(import.run("number,model\n\"540000000001,x\n", plain()).lines.at(0).why.find("quoted") !=
          std::string::npos);
}
