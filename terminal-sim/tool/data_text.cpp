#include "terminal-sim/tool/data_text.h"

#include <fmt/format.h>

#include <algorithm>

#include "protocol/dlms/date_time.h"

namespace wattmesh::sim {

using namespace dlms;

std::string iso_text(Instant at) {
    const auto day = std::chrono::floor<std::chrono::days>(at);
    const std::chrono::year_month_day date{day};
    const std::chrono::hh_mm_ss time{std::chrono::floor<std::chrono::seconds>(at - day)};
    return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z", int{date.year()}, unsigned{date.month()},
                       unsigned{date.day()}, time.hours().count(), time.minutes().count(),
                       time.seconds().count());
}

std::string json_escaped(std::string_view text) {
    std::string out;
    for (const char letter : text) {
        if (letter == '"' || letter == '\\') out += '\\';
        if (static_cast<unsigned char>(letter) < 0x20)
            out += fmt::format("\\u{:04x}", static_cast<unsigned>(letter));
        else
            out += letter;
    }
    return out;
}

namespace {

std::string quoted(std::string_view text) { return '"' + json_escaped(text) + '"'; }

std::string octets_text(Bytes octets) {
    if (octets.size() == 12)
        if (const auto time = decode_date_time(octets)) return quoted(iso_text(time->at));
    const bool printable = !octets.empty() && std::all_of(octets.begin(), octets.end(),
                                                          [](auto o) { return o >= 0x20 && o < 0x7F; });
    return quoted(printable ? std::string(octets.begin(), octets.end()) : to_hex(octets));
}

std::string list_text(const std::vector<Data>& elements) {
    std::string out = "[";
    for (const auto& element : elements) out += (out.size() == 1 ? "" : ",") + to_json(element);
    return out + "]";
}

/// One overload per kind of value.
struct Text {
    std::string operator()(const Null&) const { return "null"; }
    std::string operator()(const DontCare&) const { return "null"; }
    std::string operator()(const Array& array) const { return list_text(array.elements); }
    std::string operator()(const Structure& structure) const { return list_text(structure.elements); }
    std::string operator()(bool value) const { return value ? "true" : "false"; }
    std::string operator()(const BitString& bits) const { return quoted(to_hex(bits.octets)); }
    std::string operator()(const OctetString& octets) const { return octets_text(octets.octets); }
    std::string operator()(const VisibleString& text) const { return octets_text(as_bytes(text.text)); }
    std::string operator()(const Utf8String& text) const { return quoted(text.text); }
    std::string operator()(const Bcd& bcd) const { return std::to_string(bcd.value); }
    std::string operator()(const Enum& choice) const { return std::to_string(choice.value); }
    std::string operator()(const RawDateTime& time) const { return octets_text(time.octets); }
    std::string operator()(const RawDate& date) const { return quoted(to_hex(date.octets)); }
    std::string operator()(const RawTime& time) const { return quoted(to_hex(time.octets)); }
    std::string operator()(const CompactArray& array) const { return list_text(array.rows); }
    template <class T>
    std::string operator()(Delta<T> delta) const {
        return fmt::format("{{\"delta\":{}}}", delta.value);
    }
    template <class Number>
        requires std::is_arithmetic_v<Number>
    std::string operator()(Number number) const {
        return fmt::format("{}", number);
    }
};

}  // namespace

std::string to_json(const Data& data) { return std::visit(Text{}, data.value); }

}  // namespace wattmesh::sim
