#include "headend/database/shipped_device.h"

#include <algorithm>
#include <cassert>

#include "protocol/gdw376/terminal_number.h"
#include "protocol/gdw376/unit.h"

namespace wattmesh::headend::database {
namespace {

struct KeyField {
    const char* name;
    KeyPurpose purpose;
};
constexpr KeyField key_fields[] = {
    {"ek_management", KeyPurpose::management_ek},
    {"ak_management", KeyPurpose::management_ak},
    {"ek_reading", KeyPurpose::reading_ek},
    {"ak_reading", KeyPurpose::reading_ak},
    {"join", KeyPurpose::mesh_join},
    {"master_key", KeyPurpose::master},
};
constexpr KeyField secret_fields[] = {{"hls_secret", KeyPurpose::management_secret},
                                      {"lls_password", KeyPurpose::lls_password}};
const std::vector<std::string> concentrator_fields{"device", "number", "serial", "system_title"};
const std::vector<std::string> bus_fields{"device", "number", "serial", "address", "terminal"};
const std::vector<std::string> bus_meter_fields{"device", "number", "serial",     "model", "role",
                                                "bus",    "unit",   "word_order", "base"};
const std::vector<std::string> collector_fields{"device", "number", "system_title", "concentrator", "join"};
constexpr int modbus_unit_max = 247;
constexpr std::size_t serial_size_max = 32, model_size_max = 64, address_size_max = 260;

std::string field_named(std::string_view field) { return "field " + shown_name(field); }

const std::string& text(const FileLine& line, std::string_view field) {
    const auto* found = line.find(field);
    if (found == nullptr) throw LineRefused(field_named(field) + " is missing");
    return *found;
}

DeviceNumber number_in(const FileLine& line, std::string_view field) {
    const auto number = DeviceNumber::parse(text(line, field));
    if (!number) throw LineRefused(field_named(field) + " is not a device number (12 decimal digits)");
    return *number;
}

/// Printable ASCII within `size_max`.
std::string plain_text(const FileLine& line, std::string_view field, std::size_t size_max) {
    const auto& value = text(line, field);
    const bool printable =
        std::all_of(value.begin(), value.end(), [](char c) { return c >= ' ' && c <= '~'; });
    if (value.empty() || value.size() > size_max || !printable)
        throw LineRefused(field_named(field) + " is not printable text of up to " + std::to_string(size_max) +
                          " octets");
    return value;
}

std::optional<Buffer> hex_octets(const std::string& digits) {
    const bool only_digits = digits.find_first_of(" \t") == std::string::npos;
    return only_digits ? from_hex(digits) : std::nullopt;
}

/// Green Book 4.3.4: three letters of the manufacturer and five octets of its choice. Ours say the number.
SystemTitle title_in(const FileLine& line, const DeviceNumber& number) {
    const auto octets = hex_octets(text(line, "system_title"));
    SystemTitle title;
    if (!octets || octets->size() != title.octets.size())
        throw LineRefused("field \"system_title\" is not 16 hexadecimal digits");
    std::copy(octets->begin(), octets->end(), title.octets.begin());
    const auto ours = system_title(number);
    const Bytes letters = Bytes{title.octets}.first(3);
    if (!std::all_of(letters.begin(), letters.end(), [](std::uint8_t c) { return c >= 'A' && c <= 'Z'; }))
        throw LineRefused("field \"system_title\" does not begin with a manufacturer's three letters");
    if (std::equal(letters.begin(), letters.end(), ours.octets.begin()) && title != ours)
        throw LineRefused("field \"system_title\" does not fit the number");
    return title;
}

int suite_in(const FileLine& line) {
    const auto* suite = line.find("suite");
    if (suite == nullptr) return 0;
    if (suite->size() != 1 || suite->front() < '0' || suite->front() > '2')
        throw LineRefused("field \"suite\" is not 0, 1 or 2");
    return suite->front() - '0';
}

dlms::AssociationForm form_in(const FileLine& line, int suite) {
    dlms::AssociationForm form;
    if (const auto* word = line.find("authentication")) {
        const auto mechanism = dlms::mechanism_named(*word);
        if (!mechanism) throw LineRefused("field \"authentication\" is none of " + dlms::mechanism_words());
        form.mechanism = *mechanism;
    }
    if (const auto* word = line.find("framing")) {
        const auto framing = dlms::framing_named(*word);
        if (!framing) throw LineRefused("field \"framing\" is none of " + dlms::framing_words());
        form.framing = *framing;
    }
    if (const auto* word = line.find("signing")) {
        if (*word != "yes" && *word != "no") throw LineRefused("field \"signing\" is neither yes nor no");
        form.signing = *word == "yes";
    }
    if (const auto fault = form.fault(static_cast<dlms::Suite>(suite)); !fault.empty())
        throw LineRefused(std::string{fault});
    return form;
}

/// road: behind a concentrator (also when nothing is said), or direct.
bool direct_in(const FileLine& line) {
    const auto* road = line.find("road");
    if (road == nullptr || *road == "concentrator") return false;
    if (*road != "direct") throw LineRefused("field \"road\" is neither \"concentrator\" nor \"direct\"");
    if (line.find("concentrator") != nullptr)
        throw LineRefused("field \"concentrator\" does not go with road \"direct\"");
    return true;
}

std::optional<dcu::MeterRole> role_in(const FileLine& line) {
    const auto* role = line.find("role");
    if (role == nullptr) return std::nullopt;
    if (*role == "customer") return dcu::MeterRole::customer;
    if (*role == "summary") return dcu::MeterRole::summary;
    throw LineRefused("field \"role\" is neither \"customer\" nor \"summary\"");
}

security::SecretBuffer key_in(const FileLine& line, const char* field, std::size_t size,
                              const ShippedKeyForm& form) {
    const auto octets = hex_octets(text(line, field));
    const std::size_t expected = form.transport ? size + 8 : size;
    if (!octets || octets->size() != expected) {
        // A key in clear where a wrapped one belongs is worth words of its own.
        const bool in_clear = form.transport && octets && octets->size() == size;
        throw LineRefused(field_named(field) +
                          (in_clear ? " is in clear (--plain-keys takes files with keys in clear)"
                                    : " is not a " + std::string{form.transport ? "wrapped " : ""} +
                                          "key of " + std::to_string(expected * 2) + " hexadecimal digits"));
    }
    if (!form.transport) return security::SecretBuffer{*octets};
    auto key = form.transport->unwrap_key(*octets);
    if (!key) throw LineRefused(field_named(field) + " does not unwrap: is this the right transport key?");
    return *std::move(key);
}

security::SecretBuffer secret_in(const FileLine& line, const char* field, const ShippedKeyForm& form) {
    const auto& value = text(line, field);
    if (!form.transport) {
        if (value.empty() || value.size() > security::TransportKey::secret_size_max)
            throw LineRefused(field_named(field) + " is empty or longer than 64 octets");
        return padded(as_bytes(value));
    }
    const auto octets = hex_octets(value);
    const auto secret = octets ? form.transport->unwrap_secret(*octets) : std::nullopt;
    if (!secret)
        throw LineRefused(field_named(field) + " is not wrapped (RFC 5649) under this transport key");
    return padded(secret->reveal());
}

void refuse_foreign(const FileLine& line, const std::vector<std::string>& known) {
    for (const auto& [name, value] : line.fields)
        if (std::find(known.begin(), known.end(), name) == known.end())
            throw LineRefused(field_named(name) + " is unknown");
}

ShippedDevice read_collector(const FileLine& line, const ShippedKeyForm& form) {
    refuse_foreign(line, collector_fields);
    ShippedDevice device;
    device.kind = ShippedDevice::Kind::collector;
    device.number = number_in(line, "number");
    device.title = title_in(line, device.number);
    device.concentrator = number_in(line, "concentrator");
    device.keys.push_back({KeyPurpose::mesh_join, key_in(line, "join", 16, form)});
    return device;
}

/// A Q/GDW 376.1 terminal says its address when it calls in; its number follows from that.
DeviceNumber terminal_in(const FileLine& line) {
    const auto& word = text(line, "terminal");
    const auto octets =
        word.size() == 9 && word[4] == '-' ? hex_octets(word.substr(0, 4) + word.substr(5)) : std::nullopt;
    std::optional<DeviceNumber> number;
    if (octets && octets->size() == 4)
        number = gdw376::terminal_number(
            {.area = static_cast<std::uint16_t>((*octets)[0] << 8 | (*octets)[1]),
             .terminal = static_cast<std::uint16_t>((*octets)[2] << 8 | (*octets)[3])});
    if (!number)
        throw LineRefused(
            "field \"terminal\" is not an address like 4403-1234 (area in digits, terminal hexadecimal)");
    if (line.find("number") != nullptr && number_in(line, "number") != *number)
        throw LineRefused("field \"number\" does not fit the terminal's address: it would be " +
                          to_string(*number));
    if (line.find("address") != nullptr)
        throw LineRefused("a terminal calls in: field \"address\" does not go with it");
    return *number;
}

ShippedDevice read_bus(const FileLine& line) {
    refuse_foreign(line, bus_fields);
    ShippedDevice device;
    device.kind = ShippedDevice::Kind::bus;
    device.number = line.find("terminal") != nullptr ? terminal_in(line) : number_in(line, "number");
    device.title = system_title(device.number);
    if (line.find("serial") != nullptr) device.serial = plain_text(line, "serial", serial_size_max);
    if (line.find("address") == nullptr) return device;
    device.address = plain_text(line, "address", address_size_max);
    const auto colon = device.address->rfind(':');
    const std::string port = colon == std::string::npos ? "" : device.address->substr(colon + 1);
    const bool has_port = colon != 0 && !port.empty() && port.size() <= 5 &&
                          port.find_first_not_of("0123456789") == std::string::npos && std::stoi(port) >= 1 &&
                          std::stoi(port) <= 65'535;
    if (!has_port) throw LineRefused("field \"address\" is not host:port");
    return device;
}

/// A number from `low` to `high`.
int small_number(const FileLine& line, const char* field, int low, int high) {
    const auto& digits = text(line, field);
    const bool is_number =
        !digits.empty() && digits.size() <= 4 && digits.find_first_not_of("0123456789") == std::string::npos;
    const int value = is_number ? std::stoi(digits) : -1;
    if (value < low || value > high)
        throw LineRefused(field_named(field) + " is not a number from " + std::to_string(low) + " to " +
                          std::to_string(high));
    return value;
}

/// A meter on a bus speaks no DLMS: it has neither title nor keys.
ShippedDevice read_bus_meter(const FileLine& line) {
    refuse_foreign(line, bus_meter_fields);
    ShippedDevice device;
    device.number = number_in(line, "number");
    device.title = system_title(device.number);
    if (line.find("serial") != nullptr) device.serial = plain_text(line, "serial", serial_size_max);
    device.model = plain_text(line, "model", model_size_max);
    device.role = role_in(line);
    device.bus = number_in(line, "bus");
    const int unit_max = gdw376::terminal_address(*device.bus) ? int{gdw376::point_max} : modbus_unit_max;
    device.place.unit = small_number(line, "unit", 1, unit_max);
    if (line.find("base") != nullptr) device.place.base = small_number(line, "base", 0, 2);
    if (const auto* order = line.find("word_order")) {
        if (*order != "abcd" && *order != "cdab" && *order != "badc" && *order != "dcba")
            throw LineRefused("field \"word_order\" is none of abcd, cdab, badc and dcba");
        device.place.order = *order;
    }
    return device;
}

}  // namespace

security::SecretBuffer padded(Bytes password) {
    assert(!password.empty() && password.size() <= security::TransportKey::secret_size_max);
    Buffer out{static_cast<std::uint8_t>(password.size())};
    out.reserve(1 + security::TransportKey::secret_size_max + 8);
    out.insert(out.end(), password.begin(), password.end());
    while (out.size() % 8 != 0 || out.size() < 16) out.push_back(0);
    return security::SecretBuffer{std::move(out)};
}

std::optional<Bytes> unpadded(Bytes stored) {
    if (stored.empty() || stored[0] == 0 || stored[0] > stored.size() - 1) return std::nullopt;
    return stored.subspan(1, stored[0]);
}

static const std::vector<std::string>& meter_fields() {
    static const std::vector<std::string> names = [] {
        auto all = concentrator_fields;
        all.insert(all.end(), {"model", "role", "road", "concentrator", "suite", "authentication", "framing",
                               "signing"});
        for (const auto& field : key_fields) all.emplace_back(field.name);
        for (const auto& field : secret_fields) all.emplace_back(field.name);
        return all;
    }();
    return names;
}

LineFile::Form shipment_form() {
    static const std::vector<std::string> names = [] {
        auto all = meter_fields();
        all.insert(all.end(), {"bus", "unit", "word_order", "base", "address", "terminal"});
        return all;
    }();
    return {"shipment", 2, names};
}

ShippedDevice read_shipped_device(const FileLine& line, const ShippedKeyForm& form) {
    if (!line.fault.empty()) throw LineRefused(line.fault);
    ShippedDevice device;
    const auto* kind = line.find("device");
    if (kind != nullptr && *kind != "meter" && *kind != "concentrator" && *kind != "collector" &&
        *kind != "bus")
        throw LineRefused(
            "field \"device\" is none of \"meter\", \"concentrator\", \"collector\" and \"bus\"");
    if (kind != nullptr && *kind == "bus") return read_bus(line);
    if (kind != nullptr && *kind == "collector") return read_collector(line, form);
    const bool is_meter = kind == nullptr || *kind == "meter";
    device.kind = is_meter ? ShippedDevice::Kind::meter : ShippedDevice::Kind::concentrator;
    if (is_meter && line.find("bus") != nullptr) return read_bus_meter(line);
    refuse_foreign(line, is_meter ? meter_fields() : concentrator_fields);
    device.number = number_in(line, "number");
    device.title = title_in(line, device.number);
    if (line.find("serial") != nullptr) device.serial = plain_text(line, "serial", serial_size_max);
    if (!is_meter) return device;
    device.model = plain_text(line, "model", model_size_max);
    device.role = role_in(line);
    if (line.find("concentrator") != nullptr) device.concentrator = number_in(line, "concentrator");
    device.direct = direct_in(line);
    device.suite = suite_in(line);
    device.form = form_in(line, device.suite);
    const std::size_t size = device.suite == 2 ? 32 : 16;
    for (const auto& field : key_fields) {
        if (line.find(field.name) == nullptr) continue;
        // The mesh has keys of its own size.
        const std::size_t octets = field.purpose == KeyPurpose::mesh_join ? 16 : size;
        device.keys.push_back({field.purpose, key_in(line, field.name, octets, form)});
    }
    for (const auto& field : secret_fields)
        if (line.find(field.name) != nullptr)
            device.keys.push_back({field.purpose, secret_in(line, field.name, form)});
    return device;
}

}  // namespace wattmesh::headend::database
