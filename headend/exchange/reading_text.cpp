#include "headend/exchange/reading_text.h"

#include <array>
#include <charconv>
#include <string_view>

namespace wattmesh::headend::exchange {
namespace {

void append_two(std::string& out, std::int64_t value) {
    out += static_cast<char>('0' + value / 10);
    out += static_cast<char>('0' + value % 10);
}

}  // namespace

void append_decimal(std::string& out, std::int64_t value, int exponent) {
    std::array<char, 24> digits{};
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
    std::string_view text{digits.data(), static_cast<std::size_t>(end - digits.data())};
    if (text.front() == '-') {
        out += '-';
        text.remove_prefix(1);
    }
    if (exponent >= 0) {
        out.append(text);
        if (value != 0) out.append(static_cast<std::size_t>(exponent), '0');
        return;
    }
    const auto behind = static_cast<std::size_t>(-exponent);
    if (text.size() > behind) {
        out.append(text.substr(0, text.size() - behind)).append(1, '.');
        out.append(text.substr(text.size() - behind));
    } else {
        out.append("0.").append(behind - text.size(), '0').append(text);
    }
}

void append_date_time(std::string& out, Instant at) {
    const auto day = std::chrono::floor<std::chrono::days>(at);
    const std::chrono::year_month_day date{day};
    const auto second = std::chrono::floor<std::chrono::seconds>(at - day).count();
    append_two(out, static_cast<int>(date.year()) / 100);
    append_two(out, static_cast<int>(date.year()) % 100);
    out += '-';
    append_two(out, static_cast<unsigned>(date.month()));
    out += '-';
    append_two(out, static_cast<unsigned>(date.day()));
    out += 'T';
    append_two(out, second / 3'600);
    out += ':';
    append_two(out, second / 60 % 60);
    out += ':';
    append_two(out, second % 60);
}

void append_iso(std::string& out, Instant at) {
    append_date_time(out, at);
    const auto second = std::chrono::floor<std::chrono::seconds>(at);
    const auto part = std::chrono::floor<std::chrono::milliseconds>(at - second).count();
    out.append(1, '.').append(1, static_cast<char>('0' + part / 100));
    append_two(out, part % 100);
    out += 'Z';
}

}  // namespace wattmesh::headend::exchange
