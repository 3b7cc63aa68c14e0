#include "protocol/dlms/profile_expand.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "protocol/dlms/date_time.h"

namespace wattmesh::dlms {

namespace {

std::optional<std::int64_t> delta_of(const Data& data) {
    return std::visit(
        []<class T>(const T& value) -> std::optional<std::int64_t> {
            if constexpr (requires { Delta{value.value} == value; })
                return value.value;
            else
                return std::nullopt;
        },
        data.value);
}

/// The sum in the type of `before` where it fits.
std::optional<Data> sum(const Data& before, std::int64_t delta) {
    const auto value = before.integer();
    using Limits = std::numeric_limits<std::int64_t>;
    if (!value || (delta > 0 ? *value > Limits::max() - delta : *value < Limits::min() - delta))
        return std::nullopt;
    const std::int64_t total = *value + delta;
    return std::visit(
        [total]<class T>(const T&) -> Data {
            if constexpr (std::is_integral_v<T> && !std::is_same_v<T, bool>)
                if (std::in_range<T>(total)) return static_cast<T>(total);
            return total;
        },
        before.value);
}

std::array<std::uint8_t, 12> later(Bytes octets, const DateTime& value, Duration period) {
    auto next = encode_date_time({value.at + period, value.deviation_minutes, value.status});
    std::copy(octets.begin() + 9, octets.end(), next.begin() + 9);  // deviation and status as they came
    return next;
}

/// A clock plus the period; any other value as it is.
Data next_value(const Data& before, Duration period) {
    const auto time = date_time(before);
    if (!time) return before;
    if (const auto* raw = before.as<RawDateTime>()) return RawDateTime{later(raw->octets, *time, period)};
    return octet_string(later(before.octets(), *time, period));
}

}  // namespace

std::optional<Data> expand_rows(const Data& rows, Duration capture_period) {
    const auto* compact = rows.as<CompactArray>();
    if (!compact && !rows.as<Array>()) return std::nullopt;
    std::vector<Data> out = compact ? compact->rows : *rows.elements();
    for (std::size_t row = 0; row < out.size(); ++row) {
        auto* cells = std::get_if<Structure>(&out[row].value);
        if (!cells) return std::nullopt;
        if (row == 0) continue;
        const auto& before = std::get<Structure>(out[row - 1].value).elements;
        for (std::size_t i = 0; i < std::min(cells->elements.size(), before.size()); ++i) {
            Data& cell = cells->elements[i];
            if (cell.as<Null>())
                cell = next_value(before[i], capture_period);
            else if (const auto delta = delta_of(cell))
                if (auto total = sum(before[i], *delta)) cell = *std::move(total);
        }
    }
    return array(std::move(out));
}

}  // namespace wattmesh::dlms
