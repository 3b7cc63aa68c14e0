#include "headend/console/json.h"

#include <charconv>
#include <cmath>

namespace wattmesh::headend::console {

void Json::separate() {
    if (!first_) text_ += ',';
    first_ = false;
}

Json& Json::begin(char bracket) {
    separate();
    text_ += bracket;
    first_ = true;
    return *this;
}

Json& Json::end(char bracket) {
    text_ += bracket;
    first_ = false;
    return *this;
}

Json& Json::key(std::string_view name) {
    separate();
    quote(name);
    text_ += ':';
    first_ = true;
    return *this;
}

void Json::quote(std::string_view text) {
    constexpr char digits[] = "0123456789abcdef";
    text_ += '"';
    for (const char c : text) {
        const auto octet = static_cast<unsigned char>(c);
        if (c == '"' || c == '\\') {
            text_ += '\\';
            text_ += c;
        } else if (octet < 0x20 || octet == 0x7F) {
            text_ += "\\u00";
            text_ += digits[octet >> 4];
            text_ += digits[octet & 15];
        } else {
            text_ += c;
        }
    }
    text_ += '"';
}

Json& Json::value(std::string_view text) {
    separate();
    quote(text);
    return *this;
}

Json& Json::value(bool yes) { return raw(yes ? "true" : "false"); }
Json& Json::null() { return raw("null"); }
Json& Json::value(std::int64_t number) { return raw(std::to_string(number)); }

Json& Json::value(double number) {
    if (!std::isfinite(number)) return null();
    char buffer[32];
    const auto end = std::to_chars(buffer, buffer + sizeof buffer, number).ptr;
    return raw({buffer, static_cast<std::size_t>(end - buffer)});
}

Json& Json::value(Instant at) { return value(iso(at)); }

Json& Json::raw(std::string_view document) {
    separate();
    text_ += document;
    return *this;
}

namespace {

void put(std::string& out, int value, int width) {
    auto digits = std::to_string(value);
    out.append(
        digits.size() < static_cast<std::size_t>(width) ? static_cast<std::size_t>(width) - digits.size() : 0,
        '0');
    out += digits;
}
/// Exactly `width` digits at `at`, which moves on; -1 when there are none.
int number(std::string_view text, std::size_t& at, std::size_t width) {
    if (at + width > text.size()) return -1;
    int value = 0;
    for (std::size_t i = 0; i < width; ++i) {
        const char c = text[at + i];
        if (c < '0' || c > '9') return -1;
        value = value * 10 + (c - '0');
    }
    at += width;
    return value;
}
bool skip(std::string_view text, std::size_t& at, char wanted) {
    if (at >= text.size() || text[at] != wanted) return false;
    ++at;
    return true;
}

}  // namespace

std::string iso_day(std::chrono::sys_days day) {
    const std::chrono::year_month_day date{day};
    std::string text;
    put(text, static_cast<int>(date.year()), 4);
    text += '-';
    put(text, static_cast<int>(static_cast<unsigned>(date.month())), 2);
    text += '-';
    put(text, static_cast<int>(static_cast<unsigned>(date.day())), 2);
    return text;
}

std::string iso(Instant at) {
    const auto day = std::chrono::floor<std::chrono::days>(at);
    const std::chrono::hh_mm_ss time{std::chrono::floor<std::chrono::milliseconds>(at - day)};
    auto text = iso_day(day) + 'T';
    put(text, static_cast<int>(time.hours().count()), 2);
    text += ':';
    put(text, static_cast<int>(time.minutes().count()), 2);
    text += ':';
    put(text, static_cast<int>(time.seconds().count()), 2);
    text += '.';
    put(text, static_cast<int>(time.subseconds().count()), 3);
    return text + 'Z';
}

std::optional<std::chrono::sys_days> parse_day(std::string_view text) {
    std::size_t at = 0;
    const int year = number(text, at, 4);
    if (year < 1970 || year > 2200 || !skip(text, at, '-')) return std::nullopt;
    const int month = number(text, at, 2);
    if (month < 1 || !skip(text, at, '-')) return std::nullopt;
    const int day = number(text, at, 2);
    if (day < 1 || at != text.size()) return std::nullopt;
    const std::chrono::year_month_day date{std::chrono::year{year},
                                           std::chrono::month{static_cast<unsigned>(month)},
                                           std::chrono::day{static_cast<unsigned>(day)}};
    if (!date.ok()) return std::nullopt;
    return std::chrono::sys_days{date};
}

std::optional<Instant> parse_iso(std::string_view text) {
    if (text.size() < 20 || text[10] != 'T') return std::nullopt;
    const auto day = parse_day(text.substr(0, 10));
    std::size_t at = 11;
    const int hour = number(text, at, 2);
    if (!day || hour < 0 || hour > 23 || !skip(text, at, ':')) return std::nullopt;
    const int minute = number(text, at, 2);
    if (minute < 0 || minute > 59 || !skip(text, at, ':')) return std::nullopt;
    const int second = number(text, at, 2);
    if (second < 0 || second > 59) return std::nullopt;
    Duration fraction{};
    if (skip(text, at, '.')) {
        const auto start = at;
        std::int64_t scale = 100'000, digits = 0;
        for (; at < text.size() && text[at] >= '0' && text[at] <= '9'; ++at, scale /= 10)
            digits += (text[at] - '0') * scale;
        if (at == start || at - start > 9) return std::nullopt;
        fraction = Duration{digits};
    }
    Duration offset{};
    if (!skip(text, at, 'Z')) {
        const int sign = skip(text, at, '+') ? 1 : skip(text, at, '-') ? -1 : 0;
        const int hours = number(text, at, 2);
        if (sign == 0 || hours < 0 || hours > 23 || !skip(text, at, ':')) return std::nullopt;
        const int minutes = number(text, at, 2);
        if (minutes < 0 || minutes > 59) return std::nullopt;
        offset = sign * (std::chrono::hours{hours} + std::chrono::minutes{minutes});
    }
    if (at != text.size()) return std::nullopt;
    return Instant{*day} + std::chrono::hours{hour} + std::chrono::minutes{minute} +
           std::chrono::seconds{second} + fraction - offset;
}

}  // namespace wattmesh::headend::console
