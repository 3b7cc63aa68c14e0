#pragma once
#include <array>
#include <chrono>
#include <vector>

#include "protocol/gdw376/format.h"
#include "protocol/gdw376/unit.h"

/// Parameters about when a terminal is online, reads its meters and reports by itself. Source: Q/GDW
/// 376.1-2009, 5.5 (items F8, F33, F65 to F68 of AFN 04); laid out from general knowledge of the text, no
/// capture confirms them yet.
namespace wattmesh::gdw376 {

/// F8: how the terminal keeps its way to the master.
struct UplinkMode {
    bool udp = false;
    enum class Online : std::uint8_t { permanent = 0, on_demand = 1, in_windows = 2 } online{};
    enum class Role : std::uint8_t { mixed = 0, client = 1, server = 2 } role = Role::client;
    std::uint16_t redial_s = 60;      ///< permanent or in windows
    std::uint8_t redials = 3;         ///< on demand
    std::uint8_t idle_close_min = 5;  ///< on demand; minutes
    std::uint32_t hours = 0xFFFFFF;   ///< in windows: bit h is the hour from h o'clock
    friend bool operator==(const UplinkMode&, const UplinkMode&) = default;
};

/// Hour and minute of a day.
struct TimeOfDay {
    std::uint8_t hour = 0, minute = 0;
    friend bool operator==(const TimeOfDay&, const TimeOfDay&) = default;
};
/// F33: when a terminal reads the meters at one of its ports.
struct PortSchedule {
    std::uint8_t port = 31;
    std::uint16_t control = 0;  ///< bit set, as the standard has it
    std::uint32_t days = 0;     ///< bit n: day n + 1 of the month
    TimeOfDay at;
    std::uint8_t interval_min = 15;           ///< minutes
    std::array<std::uint8_t, 3> broadcast{};  ///< minute, hour, day of the clock broadcast to the meters
    struct Window {
        TimeOfDay from, to;
        friend bool operator==(const Window&, const Window&) = default;
    };
    std::vector<Window> windows;  ///< in which it may read; <= 24
    friend bool operator==(const PortSchedule&, const PortSchedule&) = default;
};
using PortSchedules = std::vector<PortSchedule>;  ///< <= 31

/// F65 (values of now) and F66 (frozen ones): what the terminal reports by itself.
struct ReportTask {
    std::uint16_t number = 1;  ///< the task: Pn of its unit
    bool frozen = false;
    enum class Unit : std::uint8_t { minutes = 0, hours = 1, days = 2, months = 3 } unit = Unit::hours;
    std::uint8_t period = 1;  ///< 1 to 63 of the unit
    WallTime base;
    std::uint8_t every_nth = 1;   ///< point of a curve; 1 to 96
    std::vector<UnitHead> units;  ///< what is reported; <= 32
    friend bool operator==(const ReportTask&, const ReportTask&) = default;
};
/// F67 and F68.
struct ReportSwitch {
    std::uint16_t number = 1;
    bool frozen = false, on = false;
    friend bool operator==(const ReportSwitch&, const ReportSwitch&) = default;
};

namespace item {
inline constexpr std::uint16_t uplink_mode = 8, port_schedules = 33, report_now = 65, report_frozen = 66,
                               switch_now = 67, switch_frozen = 68;
}

/// The whole unit. Asserts the limits above.
void write(Writer& out, const UplinkMode& mode);
void write(Writer& out, const PortSchedules& schedules);
void write(Writer& out, const ReportTask& task);
void write(Writer& out, const ReportSwitch& order);
/// Behind the head of the unit. Faults of `in`: bad_value, too_long, truncated.
UplinkMode read_uplink_mode(Reader& in);
PortSchedules read_port_schedules(Reader& in);
ReportTask read_report_task(Reader& in, std::uint16_t number, bool frozen);
ReportSwitch read_report_switch(Reader& in, std::uint16_t number, bool frozen);

}  // namespace wattmesh::gdw376
