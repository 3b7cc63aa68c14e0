#include "protocol/gdw376/measurement.h"

#include <algorithm>
#include <cassert>
#include <span>

#include "protocol/gdw376/exchange.h"

namespace wattmesh::gdw376 {

namespace {

constexpr ObisCode now(std::uint8_t c) { return {{1, 0, c, 7, 0, 255}}; }
constexpr ObisCode energy(std::uint8_t c, std::uint8_t tariff) { return {{1, 0, c, 8, tariff, 255}}; }
constexpr double kilo = 1'000;
constexpr std::uint8_t tariffs_max = 48;

/// Numbers of one quantity: with `tariffs` the total and each tariff, else itself alone.
struct Group {
    std::uint8_t c = 0;
    NumberFormat format{};
    double scale = 1;
};
enum class Frozen : std::uint8_t { no, day, month };
struct Layout {
    Afn afn{};
    std::uint16_t item = 0;
    Frozen frozen{};
    bool tariffs = false;
    std::span<const Group> groups;
};

// Clause 5.14, F25: powers, power factors, voltages, currents, apparent powers; total, then phases.
constexpr Group instantaneous[]{
    {16, a9, kilo}, {36, a9, kilo}, {56, a9, kilo}, {76, a9, kilo}, {3, a9, kilo},  {23, a9, kilo},
    {43, a9, kilo}, {63, a9, kilo}, {13, a5, 0.01}, {33, a5, 0.01}, {53, a5, 0.01}, {73, a5, 0.01},
    {32, a7, 1},    {52, a7, 1},    {72, a7, 1},    {31, a25, 1},   {51, a25, 1},   {71, a25, 1},
    {91, a25, 1},   {9, a9, kilo},  {29, a9, kilo}, {49, a9, kilo}, {69, a9, kilo},
};
// F33, F34 and the frozen ones: active, reactive, and of two quadrants, each total and tariffs.
constexpr Group imported[]{{1, a14, kilo}, {3, a11, kilo}, {5, a11, kilo}, {8, a11, kilo}};
constexpr Group exported[]{{2, a14, kilo}, {4, a11, kilo}, {6, a11, kilo}, {7, a11, kilo}};
constexpr Group active[]{{1, a14, kilo}};
constexpr Group returned[]{{2, a14, kilo}};

const Layout layouts[]{
    {Afn::class_1, 25, Frozen::no, false, instantaneous}, {Afn::class_1, 33, Frozen::no, true, imported},
    {Afn::class_1, 34, Frozen::no, true, exported},       {Afn::class_1, 129, Frozen::no, true, active},
    {Afn::class_2, 1, Frozen::day, true, imported},       {Afn::class_2, 2, Frozen::day, true, exported},
    {Afn::class_2, 17, Frozen::month, true, imported},    {Afn::class_2, 18, Frozen::month, true, exported},
    {Afn::class_2, 161, Frozen::day, true, active},       {Afn::class_2, 163, Frozen::day, true, returned},
    {Afn::class_2, 177, Frozen::month, true, active},
};
const Layout* layout_of(Afn afn, std::uint16_t item) {
    const auto found =
        std::ranges::find_if(layouts, [&](const Layout& l) { return l.afn == afn && l.item == item; });
    return found == std::end(layouts) ? nullptr : &*found;
}

constexpr std::uint16_t item_clock = 2, curve_first = 81, curve_last = 84;
constexpr std::uint8_t curve_quantities[]{16, 36, 56, 76};  // active power: total and phases
constexpr std::pair<std::uint8_t, int> densities[]{{1, 15}, {2, 30}, {3, 60}, {254, 5}, {255, 1}};

bool is_curve(std::uint16_t item) { return item >= curve_first && item <= curve_last; }

Reading read_layout(Reader& in, const Layout& layout, std::uint16_t point) {
    Reading out{point, layout.item, {}, {}, {}};
    if (layout.frozen == Frozen::day) out.frozen = read_a20(in);
    if (layout.frozen == Frozen::month) out.frozen = read_a21(in);
    out.read = read_a15(in);
    std::uint8_t tariffs = 0;
    if (layout.tariffs) {
        const auto at = in.position();
        tariffs = in.u8();
        if (tariffs == 0xEE) tariffs = 0;
        if (tariffs > tariffs_max) in.fail_at(Fault::bad_value, at);
    }
    for (const Group& group : layout.groups)
        for (unsigned tariff = 0; tariff <= tariffs && in.ok(); ++tariff)
            out.values.push_back(
                {layout.tariffs ? energy(group.c, static_cast<std::uint8_t>(tariff)) : now(group.c),
                 read_number(in, group.format, group.scale)});
    return out;
}

LoadCurve read_curve(Reader& in, std::uint16_t point, std::uint16_t item) {
    LoadCurve out{point, item, now(curve_quantities[item - curve_first]), {}, {}, {}};
    const auto at = in.position();
    const auto start = read_a15(in);
    if (!start) in.fail_at(Fault::bad_value, at);
    out.start = start.value_or(WallTime{});
    const auto density = in.u8(), count = in.u8();
    const auto found = std::ranges::find(densities, density, &std::pair<std::uint8_t, int>::first);
    if (found == std::end(densities))
        in.fail_at(Fault::bad_value, at + 5);
    else
        out.step = std::chrono::minutes{found->second};
    for (unsigned i = 0; i < count && in.ok(); ++i) out.values.push_back(read_number(in, a9, kilo));
    return out;
}

void write_layout(Writer& out, const Layout& layout, const Reading& reading) {
    if (layout.frozen != Frozen::no)
        layout.frozen == Frozen::day ? write_a20(out, reading.frozen.value())
                                     : write_a21(out, reading.frozen.value());
    write_a15(out, reading.read.value());
    const std::size_t each = reading.values.size() / layout.groups.size();
    assert(each >= 1 && each * layout.groups.size() == reading.values.size() &&
           (layout.tariffs || each == 1));
    if (layout.tariffs) out.u8(static_cast<std::uint8_t>(each - 1));
    for (std::size_t i = 0; i < reading.values.size(); ++i) {
        const Group& group = layout.groups[i / each];
        write_number(out, group.format, reading.values[i].value, group.scale);
    }
}

}  // namespace

Result<std::vector<Measurement>> decode_measurements(const Frame& frame) {
    if (frame.afn != Afn::class_1 && frame.afn != Afn::class_2) return Error{Fault::unexpected, 0};
    std::vector<Measurement> out;
    Reader in{frame.units};
    while (in.ok() && in.remaining() > 0) {
        const auto at = in.position();
        const UnitHead head = decode_unit_head(in);
        if (head.all_points) in.fail_at(Fault::unsupported, at);
        for (const auto point : head.points)
            for (const auto item : head.items) {
                if (!in.ok()) break;
                if (frame.afn == Afn::class_1 && item == item_clock)
                    out.emplace_back(TerminalClock{read_a1(in)});
                else if (frame.afn == Afn::class_2 && is_curve(item))
                    out.emplace_back(read_curve(in, point, item));
                else if (const Layout* layout = layout_of(frame.afn, item))
                    out.emplace_back(read_layout(in, *layout, point));
                else
                    in.fail_at(Fault::unsupported, at);
            }
    }
    if (in.error()) return *in.error();
    return out;
}

void encode(Writer& out, const Measurement& measurement) {
    if (const auto* clock = std::get_if<TerminalClock>(&measurement)) {
        encode(out, UnitHead{.items = {item_clock}});
        return write_a1(out, clock->time.value());
    }
    if (const auto* curve = std::get_if<LoadCurve>(&measurement)) {
        const auto density =
            std::ranges::find_if(densities, [&](const auto& d) { return curve->step.count() == d.second; });
        assert(is_curve(curve->item) && density != std::end(densities) && curve->values.size() <= 255);
        encode(out, UnitHead{.points = {curve->point}, .items = {curve->item}});
        write_a15(out, curve->start);
        out.u8(density->first).u8(static_cast<std::uint8_t>(curve->values.size()));
        for (const auto& value : curve->values) write_number(out, a9, value, kilo);
        return;
    }
    const auto& reading = std::get<Reading>(measurement);
    const Layout* layout = layout_of(reading.frozen ? Afn::class_2 : Afn::class_1, reading.item);
    assert(layout != nullptr);
    encode(out, UnitHead{.points = {reading.point}, .items = {reading.item}});
    write_layout(out, *layout, reading);
}

void write_query_time(Writer& out, const Query& query) {
    const WallTime& at = query.at.value();
    if (is_curve(query.item)) {
        const auto density =
            std::ranges::find_if(densities, [&](const auto& d) { return query.step.count() == d.second; });
        assert(density != std::end(densities));
        write_a15(out, at);
        out.u8(density->first).u8(query.count);
        return;
    }
    const Layout* layout = layout_of(Afn::class_2, query.item);
    assert(layout != nullptr);
    layout->frozen == Frozen::month ? write_a21(out, at) : write_a20(out, at);
}

void read_query_time(Reader& in, Query& query) {
    const auto place = in.position();
    const Layout* layout = layout_of(Afn::class_2, query.item);
    if (is_curve(query.item)) {
        query.at = read_a15(in);
        const auto density = in.u8();
        query.count = in.u8();
        const auto found = std::ranges::find(densities, density, &std::pair<std::uint8_t, int>::first);
        if (found == std::end(densities))
            in.fail_at(Fault::bad_value, place + 5);
        else
            query.step = std::chrono::minutes{found->second};
    } else if (layout != nullptr) {
        query.at = layout->frozen == Frozen::month ? read_a21(in) : read_a20(in);
    } else {
        return in.fail_at(Fault::unsupported, place);
    }
    if (!query.at) in.fail_at(Fault::bad_value, place);
}

Frame request_day(const Address& terminal, std::uint16_t point, std::uint16_t item, const WallTime& day,
                  std::uint8_t sequence) {
    return ask(terminal, Afn::class_2, {{.point = point, .item = item, .at = day}}, sequence);
}

Frame request_month(const Address& terminal, std::uint16_t point, std::uint16_t item, const WallTime& month,
                    std::uint8_t sequence) {
    return request_day(terminal, point, item, month, sequence);
}

Frame request_curve(const Address& terminal, std::uint16_t point, std::uint16_t item, const WallTime& start,
                    std::chrono::minutes step, std::uint8_t count, std::uint8_t sequence) {
    return ask(terminal, Afn::class_2,
               {{.point = point, .item = item, .at = start, .step = step, .count = count}}, sequence);
}

}  // namespace wattmesh::gdw376
