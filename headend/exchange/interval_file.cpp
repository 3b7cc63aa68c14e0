#include "headend/exchange/interval_file.h"

#include <fmt/format.h>

#include "headend/console/json.h"
#include "headend/exchange/reading_text.h"
#include "security/ciphers.h"

namespace wattmesh::headend::exchange {
namespace {

using namespace database;
__extension__ using Wide = __int128;  // a sum of any number of readings

constexpr int watt_hours = 30, var_hours = 32;  ///< COSEM unit codes (Blue Book ed. 14, 4.3.2)
constexpr int total_digits = 6;                 ///< of the sum, behind the point

/// value * 10^exponent as a decimal number.
std::string decimal(Wide value, int exponent) {
    const bool negative = value < 0;
    std::string digits;
    for (auto rest = negative ? -value : value; rest > 0; rest /= 10)
        digits.insert(digits.begin(), static_cast<char>('0' + static_cast<int>(rest % 10)));
    if (exponent >= 0) {
        if (!digits.empty()) digits.append(static_cast<std::size_t>(exponent), '0');
        if (digits.empty()) digits = "0";
    } else {
        const auto behind = static_cast<std::size_t>(-exponent);
        if (digits.size() <= behind) digits.insert(0, behind + 1 - digits.size(), '0');
        digits.insert(digits.size() - behind, ".");
    }
    return negative ? "-" + digits : digits;
}

const char* unit_text(int unit, int decimals) {
    if (unit == watt_hours) return decimals == 0 ? "Wh" : "kWh";
    if (unit == var_hours) return decimals == 0 ? "varh" : "kvarh";
    return "1";  // a plain number, or a unit that is no energy
}
int exponent_of(const DayLine& line, int decimals) {
    return line.scaler - (line.unit == watt_hours || line.unit == var_hours ? decimals : 0);
}

/// Numbers of the network are the utility's own words: without what would break a line.
std::string field(std::string text) {
    for (auto& c : text)
        if (c == ',' || c == '"' || static_cast<unsigned char>(c) < 0x20) c = ' ';
    return text;
}

Wide times_ten(Wide value, int exponent) {
    for (; exponent > 0; --exponent) value *= 10;
    for (; exponent < 0; ++exponent) value /= 10;
    return value;
}

std::string hex_of(Bytes octets) {
    auto text = to_hex(octets);
    for (auto& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    return text;
}

Bytes octets_of(const std::string& text) {
    return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

}  // namespace

std::string interval_line(const DayLine& line, int decimals) {
    std::string text = fmt::format("{},{},{},{},{},{}", field(line.usage_point), to_string(line.number),
                                   to_string(line.register_), unit_text(line.unit, decimals),
                                   line.period_s / 60, line.values.size());
    const int exponent = exponent_of(line, decimals);
    text.reserve(text.size() + line.values.size() * 12);
    for (const auto& value : line.values) {
        text += ',';
        if (value) append_decimal(text, *value, exponent);
    }
    for (const char letter : line.quality) text.append({',', letter});
    return text;
}

std::int64_t line_digest(const std::string& text) {
    const auto hash = security::sha256(octets_of(text));
    std::uint64_t digest = 0;
    for (std::size_t i = 0; i < 8; ++i) digest = digest << 8 | hash[i];
    return static_cast<std::int64_t>(digest);
}

IntervalFile make_interval_file(const FileChannel& channel, const FileDay& day, const std::string& name,
                                int revision, Instant created, const std::vector<DayLine>& lines) {
    IntervalFile file;
    file.text = fmt::format("H,wattmesh-intervals,1,{},{},{},{},{},{},{},{}\n", name, revision,
                            console::iso(created), console::iso_day(day.date), console::iso(day.from),
                            console::iso(day.to), channel.zone, channel.decimals == 0 ? "Wh" : "kWh");
    Wide total = 0;
    for (const auto& line : lines) {
        const auto text = interval_line(line, channel.decimals);
        file.text.append("D,").append(text).append("\n");
        file.lines.push_back({line.meter, line.register_, line_digest(text)});
        Wide sum = 0;
        for (const auto& value : line.values) sum += value.value_or(0);
        total += times_ten(sum, exponent_of(line, channel.decimals) + total_digits);
    }
    file.total = decimal(total, -total_digits);
    const auto hash = security::sha256(octets_of(file.text));
    file.sha256.assign(hash.begin(), hash.end());
    file.text += fmt::format("T,{},{},{}\n", lines.size(), file.total, hex_of(file.sha256));
    return file;
}

std::string interval_file_name(const FileChannel& channel, std::chrono::sys_days day, int part,
                               int revision) {
    const std::chrono::year_month_day date{day};
    return fmt::format("AMI_WATTMESH_{}_INTERVAL_{:04}{:02}{:02}_{:06}_v{}.csv", channel.contract.name,
                       static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                       static_cast<unsigned>(date.day()), part, revision);
}

}  // namespace wattmesh::headend::exchange
