#include "terminal-sim/field/shipment.h"

#include <sstream>

#include "terminal-sim/field/json_file.h"
#include "terminal-sim/field/prepaid_town.h"

namespace wattmesh::sim {
namespace {

Key128 fresh_key(Random& random) {
    std::array<std::uint8_t, 16> octets{};
    random.fill(octets);
    return Key128{octets};
}

/// Sixteen letters and digits that nobody confuses.
Buffer fresh_password(Random& random) {
    constexpr std::string_view letters = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789";
    std::array<std::uint8_t, 16> octets{};
    random.fill(octets);
    Buffer password;
    for (const auto octet : octets)
        password.push_back(static_cast<std::uint8_t>(letters[octet % letters.size()]));
    return password;
}

Key128 key_member(const std::filesystem::path& file, const Poco::JSON::Object& object,
                  const std::string& name) {
    const auto octets = from_hex(text_member(file, object, name));
    const auto key = octets ? Key128::from(*octets) : std::nullopt;
    if (!key) throw file_trouble(file, "member \"" + name + "\" is not a key of 32 hexadecimal digits");
    return *key;
}

}  // namespace

Shipment make_shipment(const Town& town, Random& random) {
    Shipment shipment;
    for (const auto& meter : town.meters) {
        MeterKeys keys{{fresh_key(random), fresh_key(random)},
                       {fresh_key(random), fresh_key(random)},
                       fresh_key(random),
                       fresh_password(random)};
        keys.management.master = fresh_key(random);
        shipment.emplace(meter.number, std::move(keys));
    }
    for (const auto& collector : town.collectors)
        shipment.collectors.emplace(collector.number, fresh_key(random));
    return shipment;
}

void write_shipment(const std::filesystem::path& file, const Town& town, const Shipment& shipment) {
    std::ostringstream out;
    out << "{\"wattmesh\":\"shipment\",\"version\":1,\n \"concentrators\":[";
    for (std::size_t i = 0; i < town.concentrators.size(); ++i)
        out << (i == 0 ? "" : ",") << "{\"number\":\"" << to_string(town.concentrators[i])
            << "\",\"system_title\":\"" << to_hex(system_title(town.concentrators[i]).octets) << "\"}";
    out << "],\n \"meters\":[\n";
    for (std::size_t i = 0; i < town.meters.size(); ++i) {
        const TownMeter& meter = town.meters[i];
        const MeterKeys& keys = shipment.at(meter.number);
        const auto member = [&](const char* name, Bytes octets) {
            out << ",\"" << name << "\":\"" << to_hex(octets) << "\"";
        };
        out << (i == 0 ? "" : ",\n") << "  {\"number\":\"" << to_string(meter.number) << "\"";
        member("system_title", system_title(meter.number).octets);
        out << ",\"concentrator\":\"" << to_string(meter.concentrator) << "\",\"role\":\""
            << (meter.kind == LoadKind::summary ? "summary" : "customer") << "\",\"model\":\""
            << registry_model(shipment, meter.number) << "\"";
        member("ek_management", keys.management.encryption.reveal());
        member("ak_management", keys.management.authentication.reveal());
        member("ek_reading", keys.reading.encryption.reveal());
        member("ak_reading", keys.reading.authentication.reveal());
        member("join", keys.join.reveal());
        if (keys.management.master) member("master_key", keys.management.master->reveal());
        out << ",\"lls_password\":\"" << std::string(keys.lls_password.begin(), keys.lls_password.end())
            << "\"";
        if (const auto prepaid = shipment.prepaid.find(meter.number); prepaid != shipment.prepaid.end())
            out << ",\"prepaid\":" << prepaid_json(prepaid->second);
        out << "}";
    }
    out << "]";
    for (std::size_t i = 0; i < town.collectors.size(); ++i) {
        const auto& collector = town.collectors[i];
        out << (i == 0 ? ",\n \"collectors\":[\n" : ",\n") << "  {\"number\":\""
            << to_string(collector.number) << "\",\"system_title\":\""
            << to_hex(system_title(collector.number).octets) << "\",\"concentrator\":\""
            << to_string(collector.concentrator) << "\",\"join\":\""
            << to_hex(shipment.collectors.at(collector.number).reveal()) << "\"}";
    }
    out << (town.collectors.empty() ? "}\n" : "]}\n");
    write_private_file(file, out.str());
}

void write_delivery(const std::filesystem::path& file, const Town& town, const Shipment& shipment,
                    const security::TransportKey& transport) {
    std::ostringstream out;
    out << "{\"wattmesh\":\"shipment\",\"version\":2}\n";
    for (const auto& number : town.concentrators)
        out << "{\"device\":\"concentrator\",\"number\":\"" << to_string(number) << "\",\"system_title\":\""
            << to_hex(system_title(number).octets) << "\"}\n";
    for (const auto& collector : town.collectors)
        out << "{\"device\":\"collector\",\"number\":\"" << to_string(collector.number)
            << "\",\"system_title\":\"" << to_hex(system_title(collector.number).octets)
            << "\",\"concentrator\":\"" << to_string(collector.concentrator) << "\",\"join\":\""
            << to_hex(transport.wrap_key(shipment.collectors.at(collector.number).reveal())) << "\"}\n";
    for (const TownMeter& meter : town.meters) {
        const MeterKeys& keys = shipment.at(meter.number);
        const auto member = [&](const char* name, const SymmetricKey& key) {
            out << ",\"" << name << "\":\"" << to_hex(transport.wrap_key(key.reveal())) << "\"";
        };
        out << "{\"device\":\"meter\",\"number\":\"" << to_string(meter.number) << "\",\"serial\":\"SIM-"
            << to_string(meter.number).substr(4) << "\",\"system_title\":\""
            << to_hex(system_title(meter.number).octets) << "\",\"concentrator\":\""
            << to_string(meter.concentrator) << "\",\"role\":\""
            << (meter.kind == LoadKind::summary ? "summary" : "customer") << "\",\"model\":\""
            << registry_model(shipment, meter.number) << "\"";
        member("ek_management", keys.management.encryption);
        member("ak_management", keys.management.authentication);
        member("ek_reading", keys.reading.encryption);
        member("ak_reading", keys.reading.authentication);
        member("join", keys.join);
        if (keys.management.master) member("master_key", *keys.management.master);
        out << ",\"lls_password\":\"" << to_hex(transport.wrap_secret(keys.lls_password)) << "\"}\n";
    }
    write_private_file(file, out.str());
}

Shipment read_shipment(const std::filesystem::path& file) {
    const auto json = read_json_file(file, "shipment");
    const auto meters = array_member(file, *json, "meters");
    Shipment shipment;
    for (unsigned i = 0; i < meters->size(); ++i) {
        const auto object = meters->getObject(i);
        if (object.isNull())
            throw file_trouble(file, "member \"meters\" holds something that is not an object");
        const auto number = DeviceNumber::parse(text_member(file, *object, "number"));
        if (!number) throw file_trouble(file, "member \"number\" is not a device number (12 decimal digits)");
        const auto key = [&](const char* name) { return key_member(file, *object, name); };
        MeterKeys keys{{key("ek_management"), key("ak_management")},
                       {key("ek_reading"), key("ak_reading")},
                       key("join"),
                       to_buffer(as_bytes(text_member(file, *object, "lls_password")))};
        if (object->has("master_key")) keys.management.master = key("master_key");
        if (object->has("prepaid"))
            shipment.prepaid.emplace(*number, prepaid_of(file, object->getObject("prepaid")));
        if (!shipment.emplace(*number, std::move(keys)).second)
            throw file_trouble(file, "names meter " + to_string(*number) + " twice");
    }
    if (!json->has("collectors")) return shipment;
    const auto collectors = array_member(file, *json, "collectors");
    for (unsigned i = 0; i < collectors->size(); ++i) {
        const auto object = collectors->getObject(i);
        if (object.isNull())
            throw file_trouble(file, "member \"collectors\" holds something that is not an object");
        const auto number = DeviceNumber::parse(text_member(file, *object, "number"));
        if (!number) throw file_trouble(file, "member \"number\" is not a device number (12 decimal digits)");
        if (!shipment.collectors.emplace(*number, key_member(file, *object, "join")).second)
            throw file_trouble(file, "names collector " + to_string(*number) + " twice");
    }
    return shipment;
}

}  // namespace wattmesh::sim
