#include "protocol/cosem/activity_calendar.h"
#include "protocol/cosem/schedule.h"
#include "protocol/cosem/script_table.h"
#include "terminal-sim/meter/meter.h"

/// The tariff: day rate from 06:00 to 22:00. A calendar that is written is kept and shown; the registers of a
/// simulated meter go on counting by the one it came with.
namespace wattmesh::sim {

using namespace dlms;

namespace {

constexpr ObisCode tariff_script = object_name(0, 0, 10, 0, 100);

RawTime at_hour(std::uint8_t hour) { return {{hour, 0, 0, 0}}; }
Buffer text(std::string_view word) { return to_buffer(as_bytes(word)); }

ReadOutcome read_calendar(const Meter&, const SimObject::Read& what) {
    using namespace cosem::activity_calendar;
    constexpr RawDateTime new_year{{0xFF, 0xFF, 1, 1, 0xFF, 0, 0, 0, 0, 0x80, 0, 0xFF}};
    switch (what.attribute) {
        case 2:
            return calendar_name_active.write(text("two rates"));
        case 3:
            return season_profile_active.write({{text("year"), new_year, text("week")}});
        case 4:
            return week_profile_table_active.write({{text("week"), 1, 1, 1, 1, 1, 1, 1}});
        case 5:
            return day_profile_table_active.write({{1,
                                                    {{at_hour(0), tariff_script, 2},
                                                     {at_hour(6), tariff_script, 1},
                                                     {at_hour(22), tariff_script, 2}}}});
        case 6:
            return calendar_name_passive.write({});
        case 7:
            return season_profile_passive.write({});
        case 8:
            return week_profile_table_passive.write({});
        case 9:
            return day_profile_table_passive.write({});
        default:
            return activate_passive_calendar_time.write(cosem::unspecified_time);
    }
}

ReadOutcome read_tariff_scripts(const Meter&, const SimObject::Read&) {
    using namespace cosem::script_table;
    const auto mask = [](std::uint16_t tariff) {
        const Buffer name{'T', static_cast<std::uint8_t>('0' + tariff)};
        return Script{
            tariff,
            {{Service::write_attribute, 6, object_name(0, 0, 14, 0, 0), 4, octet_string(Bytes{name})}}};
    };
    return scripts.write({mask(1), mask(2)});
}

}  // namespace

void ObjectMaker::calendar(SimObjects& objects) {
    objects.push_back({.spec = &cosem::activity_calendar::spec,
                       .name = object_name(0, 0, 13, 0, 0),
                       .audience = for_management,
                       .read = read_calendar,
                       .writable = {6, 7, 8, 9, 10},
                       .methods = {1},
                       .act = [](Meter& meter, const SimObject::Call& what) -> ActionOutcome {
                           meter.activate_calendar(what.now);
                           return {};
                       },
                       .remembered = {1}});
    objects.push_back({.spec = &cosem::script_table::spec,
                       .name = tariff_script,
                       .audience = for_management,
                       .read = read_tariff_scripts});
}

void Meter::activate_calendar(Instant) {
    const ObisCode name = object_named(cosem::Quantity::activity_calendar);
    for (std::int8_t passive = 6; passive <= 9; ++passive)
        if (auto value = attribute(name, passive))
            store(name, static_cast<std::int8_t>(passive - 4), std::move(*value));
}

}  // namespace wattmesh::sim
