#include "protocol/decode/words.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "protocol/base/id.h"
#include "protocol/cosem/class_table.h"
#include "protocol/cosem/obis_names.h"
#include "protocol/decode/printable.h"
#include "protocol/dlms/object.h"

namespace wattmesh::decode {
namespace {

constexpr std::pair<std::uint8_t, std::string_view> apdu_names[]{
    {0x01, "initiate-request"},
    {0x05, "read-request"},
    {0x06, "write-request"},
    {0x08, "initiate-response"},
    {0x0C, "read-response"},
    {0x0D, "write-response"},
    {0x0E, "confirmed-service-error"},
    {0x0F, "data-notification"},
    {0x16, "unconfirmed-write-request"},
    {0x18, "information-report-request"},
    {0x21, "glo-initiate-request"},
    {0x25, "glo-read-request"},
    {0x26, "glo-write-request"},
    {0x28, "glo-initiate-response"},
    {0x2C, "glo-read-response"},
    {0x2D, "glo-write-response"},
    {0x2E, "glo-confirmed-service-error"},
    {0x36, "glo-unconfirmed-write-request"},
    {0x38, "glo-information-report-request"},
    {0x41, "ded-initiate-request"},
    {0x45, "ded-read-request"},
    {0x46, "ded-write-request"},
    {0x48, "ded-initiate-response"},
    {0x4C, "ded-read-response"},
    {0x4D, "ded-write-response"},
    {0x4E, "ded-confirmed-service-error"},
    {0x56, "ded-unconfirmed-write-request"},
    {0x58, "ded-information-report-request"},
    {0x60, "aarq"},
    {0x61, "aare"},
    {0x62, "rlrq"},
    {0x63, "rlre"},
    {0xC0, "get-request"},
    {0xC1, "set-request"},
    {0xC2, "event-notification-request"},
    {0xC3, "action-request"},
    {0xC4, "get-response"},
    {0xC5, "set-response"},
    {0xC7, "action-response"},
    {0xC8, "glo-get-request"},
    {0xC9, "glo-set-request"},
    {0xCA, "glo-event-notification-request"},
    {0xCB, "glo-action-request"},
    {0xCC, "glo-get-response"},
    {0xCD, "glo-set-response"},
    {0xCF, "glo-action-response"},
    {0xD0, "ded-get-request"},
    {0xD1, "ded-set-request"},
    {0xD2, "ded-event-notification-request"},
    {0xD3, "ded-action-request"},
    {0xD4, "ded-get-response"},
    {0xD5, "ded-set-response"},
    {0xD7, "ded-action-response"},
    {0xD8, "exception-response"},
    {0xD9, "access-request"},
    {0xDA, "access-response"},
    {0xDB, "general-glo-ciphering"},
    {0xDC, "general-ded-ciphering"},
    {0xDD, "general-ciphering"},
    {0xDF, "general-signing"},
    {0xE0, "general-block-transfer"},
};

constexpr std::array<std::string_view, 24> conformance_names{"reserved-0",
                                                             "general-protection",
                                                             "general-block-transfer",
                                                             "read",
                                                             "write",
                                                             "unconfirmed-write",
                                                             "delta-value-encoding",
                                                             "reserved-7",
                                                             "attribute0-supported-with-set",
                                                             "priority-mgmt-supported",
                                                             "attribute0-supported-with-get",
                                                             "block-transfer-with-get-or-read",
                                                             "block-transfer-with-set-or-write",
                                                             "block-transfer-with-action",
                                                             "multiple-references",
                                                             "information-report",
                                                             "data-notification",
                                                             "access",
                                                             "parameterized-access",
                                                             "get",
                                                             "set",
                                                             "selective-access",
                                                             "event-notification",
                                                             "action"};

/// "class 8 clock, 0-0:1.0.0*255 Clock"
std::string class_words(std::uint16_t class_id, const cosem::ClassSpec* spec, const ObisCode& object) {
    return fmt::format("class {} {}, {}", class_id, spec == nullptr ? "(not in our tables)" : spec->name,
                       object_words(object));
}

}  // namespace

std::string_view apdu_name(std::uint8_t tag) {
    for (const auto& [number, name] : apdu_names)
        if (number == tag) return name;
    return {};
}

std::string result_words(std::uint8_t result) {
    std::string words{to_string(static_cast<dlms::AccessResult>(result))};
    std::replace(words.begin(), words.end(), '_', '-');
    return fmt::format("{} ({})", words, result);
}

std::string invoke_words(std::uint8_t invoke) {
    std::string words = fmt::format("invoke {} {} {} priority", invoke & 0x0F,
                                    (invoke & 0x40) != 0 ? "confirmed" : "unconfirmed",
                                    (invoke & 0x80) != 0 ? "high" : "normal");
    if ((invoke & 0x30) != 0) words += fmt::format(", reserved bits {:02X} are set", invoke & 0x30);
    return words;
}

std::string long_invoke_words(std::uint32_t invoke) {
    std::string words = fmt::format("invoke {} {} {} priority", invoke & 0xFF'FFFF,
                                    (invoke >> 30 & 1U) != 0 ? "confirmed" : "unconfirmed",
                                    (invoke >> 31 & 1U) != 0 ? "high" : "normal");
    if ((invoke >> 28 & 1U) != 0) words += ", self-descriptive";
    if ((invoke >> 29 & 1U) != 0) words += ", break on error";
    return words;
}

std::vector<std::string> conformance_words(std::uint32_t bits) {
    constexpr std::size_t columns_max = 90;
    std::vector<std::string> lines;
    for (std::size_t i = 0; i < conformance_names.size(); ++i) {
        if ((bits >> (23 - i) & 1U) == 0) continue;
        const auto name = conformance_names[i];
        if (lines.empty() || lines.back().size() + name.size() > columns_max)
            lines.emplace_back(name);
        else
            (lines.back() += ", ") += name;
    }
    return lines;
}

std::string mechanism_words(std::uint8_t mechanism) {
    constexpr std::array<std::string_view, 8> names{
        "no authentication", "LLS",      "HLS of the manufacturer", "HLS MD5", "HLS SHA-1", "HLS GMAC",
        "HLS SHA-256",       "HLS ECDSA"};
    return fmt::format("{} ({})", mechanism < names.size() ? names[mechanism] : "unknown", mechanism);
}

std::string context_words(std::uint8_t context) {
    constexpr std::array<std::string_view, 5> names{"unknown", "logical names, no ciphering",
                                                    "short names, no ciphering", "logical names, ciphered",
                                                    "short names, ciphered"};
    return fmt::format("{} ({})", names[context < names.size() ? context : 0], context);
}

std::string title_words(Bytes title) {
    const bool named = title.size() == 8 && std::all_of(title.begin(), title.begin() + 3, [](auto octet) {
                           return octet >= 'A' && octet <= 'Z';
                       });
    return to_hex(title) + (named ? " (" + printable(title.first(3)) + ")" : "");
}

std::string sap_words(std::uint16_t sap) {
    return fmt::format("{}{}", sap, sap == public_client.value ? " (public client)" : "");
}

std::string object_words(const ObisCode& code) {
    const std::string name = cosem::obis_name(code);
    return to_string(code) + (name.empty() ? "" : " " + name);
}

std::string attribute_words(std::uint16_t class_id, const ObisCode& object, std::int8_t attribute) {
    const auto* spec = cosem::find_class(class_id);
    const auto* known = spec == nullptr ? nullptr : spec->attribute(attribute);
    std::string words = class_words(class_id, spec, object) + fmt::format(", attribute {}", attribute);
    if (known != nullptr) (words += ' ') += known->name;
    if (attribute == 0) words += " (all attributes)";
    return words;
}

std::string method_words(std::uint16_t class_id, const ObisCode& object, std::int8_t method) {
    const auto* spec = cosem::find_class(class_id);
    const auto* known = spec == nullptr ? nullptr : spec->method(method);
    std::string words = class_words(class_id, spec, object) + fmt::format(", method {}", method);
    if (known != nullptr) (words += ' ') += known->name;
    return words;
}

}  // namespace wattmesh::decode
