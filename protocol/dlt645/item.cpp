#include "protocol/dlt645/item.h"

#include <algorithm>
#include <cassert>
#include <cmath>

namespace wattmesh::dlt645 {

namespace {

constexpr ObisCode now(std::uint8_t c) { return {{1, 0, c, 7, 0, 255}}; }
constexpr ObisCode energy(std::uint8_t c, std::uint8_t tariff = 0) { return {{1, 0, c, 8, tariff, 255}}; }
constexpr double kilo = 1'000;

/// Annex A, tables A.1 (energies), A.5 (instantaneous values). A block is the total and the tariffs.
const std::vector<Item>& items() {
    static const std::vector<Item> all{
        {0x00010000, "forward active energy", 4, 2, false, kilo, {energy(1)}, 30},
        {0x0001FF00,
         "forward active energy, total and tariffs",
         4,
         2,
         false,
         kilo,
         {energy(1), energy(1, 1), energy(1, 2), energy(1, 3), energy(1, 4)},
         30},
        {0x00020000, "reverse active energy", 4, 2, false, kilo, {energy(2)}, 30},
        {0x0002FF00,
         "reverse active energy, total and tariffs",
         4,
         2,
         false,
         kilo,
         {energy(2), energy(2, 1), energy(2, 2), energy(2, 3), energy(2, 4)},
         30},
        {0x02010100, "voltage of phase A", 2, 1, false, 1, {now(32)}, 35},
        {0x0201FF00, "voltages", 2, 1, false, 1, {now(32), now(52), now(72)}, 35},
        {0x02020100, "current of phase A", 3, 3, true, 1, {now(31)}, 33},
        {0x0202FF00, "currents", 3, 3, true, 1, {now(31), now(51), now(71)}, 33},
        {0x02030000, "active power", 3, 4, true, kilo, {now(16)}, 27},
        {0x0203FF00, "active powers", 3, 4, true, kilo, {now(16), now(36), now(56), now(76)}, 27},
        {0x02800002, "frequency", 2, 2, false, 1, {now(14)}, 44},
    };
    return all;
}

double power_of_ten(int exponent) { return std::pow(10.0, exponent); }

}  // namespace

const Item* find_item(DataId id) {
    const auto found = std::ranges::find(items(), id, &Item::id);
    return found == items().end() ? nullptr : &*found;
}

const Item* item_of(const ObisCode& quantity) {
    const Item* shortest = nullptr;
    for (const Item& item : items()) {
        if (std::ranges::count(item.quantities, quantity) == 0) continue;
        if (shortest == nullptr || item.quantities.size() < shortest->quantities.size()) shortest = &item;
    }
    return shortest;
}

std::optional<std::uint64_t> decode_bcd(Bytes octets) {
    std::uint64_t value = 0;
    for (std::size_t i = octets.size(); i-- > 0;) {
        const unsigned high = octets[i] >> 4, low = octets[i] & 0x0FU;
        if (high > 9 || low > 9) return std::nullopt;
        value = value * 100 + high * 10 + low;
    }
    return value;
}

Buffer encode_bcd(std::uint64_t value, std::size_t octets) {
    Buffer out;
    for (std::size_t i = 0; i < octets; ++i, value /= 100)
        out.push_back(static_cast<std::uint8_t>((value / 10 % 10) << 4 | value % 10));
    return out;
}

Result<std::vector<std::optional<double>>> decode_values(const Item& item, Bytes data) {
    const std::size_t size = item.octets;
    if (data.size() < size) return Error{Fault::truncated, data.size()};
    std::vector<std::optional<double>> out;
    for (std::size_t at = 0; at + size <= data.size() && out.size() < item.quantities.size(); at += size) {
        Buffer octets = to_buffer(data.subspan(at, size));
        const auto all = [&](std::uint8_t octet) { return std::ranges::count(octets, octet) == item.octets; };
        if (all(0xFF) || all(0xEE)) {
            out.emplace_back();
            continue;
        }
        const bool negative = item.is_signed && (octets.back() & 0x80U) != 0;
        if (negative) octets.back() &= 0x7F;
        const auto digits = decode_bcd(octets);
        if (!digits) return Error{Fault::bad_value, at};
        // One rounding only: 12345 with two decimals and a scale of 1000 is exactly 123450.
        const double value = static_cast<double>(*digits) * item.scale / power_of_ten(item.decimals);
        out.emplace_back(negative ? -value : value);
    }
    return out;
}

Buffer encode_values(const Item& item, std::span<const std::optional<double>> values) {
    Buffer out;
    for (const auto& value : values) {
        if (!value) {
            out.insert(out.end(), item.octets, 0xFF);
            continue;
        }
        const double shown = std::nearbyint(std::abs(*value) * power_of_ten(item.decimals) / item.scale);
        assert(shown < power_of_ten(2 * item.octets) * (item.is_signed ? 0.8 : 1) &&
               (item.is_signed || *value >= 0));
        Buffer octets = encode_bcd(static_cast<std::uint64_t>(shown), item.octets);
        if (*value < 0) octets.back() |= 0x80;
        out.insert(out.end(), octets.begin(), octets.end());
    }
    return out;
}

}  // namespace wattmesh::dlt645
