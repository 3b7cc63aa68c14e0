#pragma once
#include <array>

#include "protocol/cosem/models/objects.h"

/// Where the Blue Book keeps things, for `generic` and what differs from it in a few objects only.
namespace wattmesh::cosem::models {

inline constexpr auto generic_objects = [] {
    using enum Quantity;
    return std::to_array<ModelObject>({
        object_at(clock, obis::clock, 8),
        data_at(logical_device_name, obis::logical_device_name),
        data_at(serial_number, code(0, 0, 96, 1, 0)),
        data_at(meter_type, code(0, 0, 96, 1, 1)),
        data_at(firmware_version, code(1, 0, 0, 2, 0)),
        register_at(active_import, obis::active_import_total, 0, Unit::watt_hour),
        register_at(active_export, obis::active_export_total, 0, Unit::watt_hour),
        register_at(reactive_import, obis::reactive_import_total, 0, Unit::var_hour),
        register_at(reactive_export, obis::reactive_export_total, 0, Unit::var_hour),
        register_at(active_import_tariff_1, code(1, 0, 1, 8, 1), 0, Unit::watt_hour),
        register_at(active_import_tariff_2, code(1, 0, 1, 8, 2), 0, Unit::watt_hour),
        {maximum_demand_import, code(1, 0, 1, 6, 0), 4, 2, {0, Unit::watt}},
        register_at(power_import, code(1, 0, 1, 7, 0), 0, Unit::watt),
        register_at(voltage_l1, code(1, 0, 32, 7, 0), -1, Unit::volt),
        register_at(voltage_l2, code(1, 0, 52, 7, 0), -1, Unit::volt),
        register_at(voltage_l3, code(1, 0, 72, 7, 0), -1, Unit::volt),
        register_at(current_l1, code(1, 0, 31, 7, 0), -2, Unit::ampere),
        register_at(current_l2, code(1, 0, 51, 7, 0), -2, Unit::ampere),
        register_at(current_l3, code(1, 0, 71, 7, 0), -2, Unit::ampere),
        profile_at(load_profile, obis::load_profile),
        profile_at(daily_profile, obis::daily_profile),
        profile_at(event_log, obis::event_log),
        data_at(profile_status, obis::profile_status),
        object_at(disconnect_control, obis::disconnect_control, 70),
        object_at(limiter, code(0, 0, 17, 0, 0), 71),
        object_at(image_transfer, code(0, 0, 44, 0, 0), 18),
        object_at(image_activation_schedule, code(0, 0, 15, 0, 2), 22),
        object_at(image_activation_script, code(0, 0, 10, 0, 107), 9),
        object_at(activity_calendar, code(0, 0, 13, 0, 0), 20),
        object_at(special_days, code(0, 0, 11, 0, 0), 11),
        object_at(tariff_script, code(0, 0, 10, 0, 100), 9),
        object_at(push_setup, code(0, 0, 25, 9, 0), 40),
        object_at(security_setup, code(0, 0, 43, 0, 0), 64),
        data_at(invocation_counter, code(0, 0, 43, 1, 1)),
        object_at(mbus_client_1, code(0, 1, 24, 1, 0), 72),
    });
}();

}  // namespace wattmesh::cosem::models
