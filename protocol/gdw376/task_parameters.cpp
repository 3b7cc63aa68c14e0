#include "protocol/gdw376/task_parameters.h"

#include <cassert>

#include "protocol/base/bcd.h"

namespace wattmesh::gdw376 {

namespace {

constexpr std::size_t ports_max = 31, windows_max = 24, units_max = 32;
constexpr std::uint8_t on_octet = 0x55, off_octet = 0xAA;

UnitHead head_of(std::uint16_t item, std::uint16_t point = terminal_point) {
    return {.points = {point}, .items = {item}};
}

void write_time(Writer& out, const TimeOfDay& time) { out.u8(to_bcd(time.minute)).u8(to_bcd(time.hour)); }
TimeOfDay read_time(Reader& in) {
    const auto at = in.position();
    const auto minute = in.u8(), hour = in.u8();
    if (!is_bcd(minute) || !is_bcd(hour)) in.fail_at(Fault::bad_value, at);
    return {from_bcd(hour), from_bcd(minute)};
}

/// What is left must hold that many of at least that size, before anything is allocated.
std::size_t checked_count(Reader& in, std::size_t max, std::size_t each) {
    const auto at = in.position();
    const std::size_t count = in.u8();
    if (count > max || count * each > in.remaining()) in.fail_at(Fault::too_long, at);
    return in.ok() ? count : 0;
}

}  // namespace

void write(Writer& out, const UplinkMode& mode) {
    assert(mode.hours <= 0xFFFFFF);
    encode(out, head_of(item::uplink_mode));
    out.u8(static_cast<std::uint8_t>((mode.udp ? 0x80 : 0) | static_cast<unsigned>(mode.role) << 4 |
                                     static_cast<unsigned>(mode.online)));
    out.u16_le(mode.redial_s).u8(mode.redials).u8(mode.idle_close_min);
    for (unsigned shift = 0; shift < 24; shift += 8) out.u8(static_cast<std::uint8_t>(mode.hours >> shift));
}
UplinkMode read_uplink_mode(Reader& in) {
    UplinkMode mode;
    const auto at = in.position();
    const auto octet = in.u8();
    if ((octet & 3) == 3 || (octet >> 4 & 3) == 3) in.fail_at(Fault::bad_value, at);
    mode.udp = (octet & 0x80) != 0;
    mode.role = static_cast<UplinkMode::Role>(octet >> 4 & 3);
    mode.online = static_cast<UplinkMode::Online>(octet & 3);
    mode.redial_s = in.u16_le();
    mode.redials = in.u8();
    mode.idle_close_min = in.u8();
    mode.hours = in.u8();
    mode.hours |= static_cast<std::uint32_t>(in.u8()) << 8;
    mode.hours |= static_cast<std::uint32_t>(in.u8()) << 16;
    return mode;
}

void write(Writer& out, const PortSchedules& schedules) {
    assert(!schedules.empty() && schedules.size() <= ports_max);
    encode(out, head_of(item::port_schedules));
    out.u8(static_cast<std::uint8_t>(schedules.size()));
    for (const PortSchedule& one : schedules) {
        assert(one.windows.size() <= windows_max);
        out.u8(one.port).u16_le(one.control).u16_le(static_cast<std::uint16_t>(one.days));
        out.u16_le(static_cast<std::uint16_t>(one.days >> 16));
        write_time(out, one.at);
        out.u8(one.interval_min);
        for (const auto octet : one.broadcast) out.u8(to_bcd(octet));
        out.u8(static_cast<std::uint8_t>(one.windows.size()));
        for (const auto& window : one.windows) {
            write_time(out, window.from);
            write_time(out, window.to);
        }
    }
}
PortSchedules read_port_schedules(Reader& in) {
    PortSchedules schedules;
    const auto count = checked_count(in, ports_max, 14);
    for (std::size_t i = 0; i < count && in.ok(); ++i) {
        PortSchedule one;
        one.port = in.u8();
        one.control = in.u16_le();
        one.days = in.u16_le();
        one.days |= static_cast<std::uint32_t>(in.u16_le()) << 16;
        one.at = read_time(in);
        one.interval_min = in.u8();
        for (auto& octet : one.broadcast) octet = from_bcd(in.u8());
        const auto windows = checked_count(in, windows_max, 4);
        for (std::size_t w = 0; w < windows; ++w) {
            const auto from = read_time(in);
            one.windows.push_back({from, read_time(in)});
        }
        schedules.push_back(std::move(one));
    }
    return schedules;
}

void write(Writer& out, const ReportTask& task) {
    assert(task.period >= 1 && task.period < 64 && !task.units.empty() && task.units.size() <= units_max);
    encode(out, head_of(task.frozen ? item::report_frozen : item::report_now, task.number));
    out.u8(static_cast<std::uint8_t>(static_cast<unsigned>(task.unit) << 6 | task.period));
    write_a1(out, task.base);
    out.u8(task.every_nth).u8(static_cast<std::uint8_t>(task.units.size()));
    for (const auto& unit : task.units) encode(out, unit);
}
ReportTask read_report_task(Reader& in, std::uint16_t number, bool frozen) {
    ReportTask task;
    task.number = number;
    task.frozen = frozen;
    const auto at = in.position();
    const auto period = in.u8();
    task.unit = static_cast<ReportTask::Unit>(period >> 6);
    task.period = period & 0x3F;
    const auto base = read_a1(in);
    if (!base) in.fail_at(Fault::bad_value, at + 1);
    task.base = base.value_or(WallTime{});
    task.every_nth = in.u8();
    const auto count = checked_count(in, units_max, 4);
    for (std::size_t i = 0; i < count && in.ok(); ++i) task.units.push_back(decode_unit_head(in));
    return task;
}

void write(Writer& out, const ReportSwitch& order) {
    encode(out, head_of(order.frozen ? item::switch_frozen : item::switch_now, order.number));
    out.u8(order.on ? on_octet : off_octet);
}
ReportSwitch read_report_switch(Reader& in, std::uint16_t number, bool frozen) {
    const auto at = in.position();
    const auto octet = in.u8();
    if (octet != on_octet && octet != off_octet) in.fail_at(Fault::bad_value, at);
    return {number, frozen, octet == on_octet};
}

}  // namespace wattmesh::gdw376
