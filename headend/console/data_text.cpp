#include "headend/console/data_text.h"

#include <algorithm>
#include <type_traits>

#include "headend/console/json.h"
#include "protocol/dlms/date_time.h"

namespace wattmesh::headend::console {
namespace {

constexpr std::size_t text_size_max = 400;

std::string octets_text(Bytes octets) {
    const bool printable = !octets.empty() && std::all_of(octets.begin(), octets.end(),
                                                          [](auto o) { return o >= 0x20 && o < 0x7F; });
    return printable ? std::string{octets.begin(), octets.end()} : to_hex(octets);
}

std::string bits_text(const dlms::BitString& bits) {
    std::string text;
    for (std::size_t i = 0; i < bits.bits && i / 8 < bits.octets.size(); ++i)
        text += bits.octets[i / 8] & (0x80u >> (i % 8)) ? '1' : '0';
    return text;
}

/// Printable or not, what goes to a browser must be UTF-8: anything else is shown in hexadecimal.
std::string visible(const std::string& text) { return octets_text(as_bytes(text)); }

void append(std::string& out, const dlms::Data& data);

void append_elements(std::string& out, const std::vector<dlms::Data>& elements, char open, char close) {
    out += open;
    for (std::size_t i = 0; i < elements.size() && out.size() < text_size_max; ++i) {
        if (i > 0) out += ", ";
        append(out, elements[i]);
    }
    out += close;
}

template <class T>
void append_delta(std::string& out, const dlms::Delta<T>& delta) {
    out += (delta.value < 0 ? "" : "+") + std::to_string(delta.value);
}

void append(std::string& out, const dlms::Data& data) {
    if (const auto time = dlms::date_time(data)) {
        out += iso(time->at);
        if (time->status & (dlms::clock_status::invalid | dlms::clock_status::doubtful)) out += " (doubtful)";
        return;
    }
    std::visit(
        [&](const auto& value) {
            using T = std::decay_t<decltype(value)>;
            if constexpr (std::is_same_v<T, bool>)
                out += value ? "true" : "false";
            else if constexpr (std::is_floating_point_v<T>)
                out += std::to_string(value);
            else if constexpr (std::is_integral_v<T>)
                out += std::to_string(value);
            else if constexpr (std::is_same_v<T, dlms::Array>)
                append_elements(out, value.elements, '[', ']');
            else if constexpr (std::is_same_v<T, dlms::Structure>)
                append_elements(out, value.elements, '{', '}');
            else if constexpr (std::is_same_v<T, dlms::CompactArray>)
                append_elements(out, value.rows, '[', ']');
            else if constexpr (std::is_same_v<T, dlms::BitString>)
                out += bits_text(value);
            else if constexpr (std::is_same_v<T, dlms::VisibleString> || std::is_same_v<T, dlms::Utf8String>)
                out += visible(value.text);
            else if constexpr (std::is_same_v<T, dlms::Enum> || std::is_same_v<T, dlms::Bcd>)
                out += std::to_string(value.value);
            else if constexpr (std::is_same_v<T, dlms::Null>)
                out += "null";
            else if constexpr (std::is_same_v<T, dlms::DontCare>)
                out += "(any)";
            else if constexpr (requires { value.octets; })
                out += octets_text(value.octets);
            else
                append_delta(out, value);
        },
        data.value);
}

}  // namespace

std::string data_text(const dlms::Data& data) {
    std::string text;
    append(text, data);
    if (text.size() > text_size_max) text = text.substr(0, text_size_max) + "…";
    return text;
}

}  // namespace wattmesh::headend::console
