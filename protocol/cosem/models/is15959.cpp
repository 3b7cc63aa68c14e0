#include "protocol/cosem/models/models.h"
#include "protocol/cosem/models/objects.h"

/// Indian smart meters, single and three phase. Source: IS 15959 part 1 (2011) and part 2 (2016), tables of
/// parameters; [M] where marked. Registers come with scaler profiles instead of scaler_unit attributes that
/// can be read by the meter reader.
namespace wattmesh::cosem::models {

namespace {

using enum Quantity;

constexpr ModelObject objects[]{
    object_at(clock, obis::clock, 8),
    data_at(logical_device_name, obis::logical_device_name),
    data_at(serial_number, code(0, 0, 96, 1, 0)),
    data_at(manufacturer, code(0, 0, 96, 1, 1)),
    data_at(meter_type, code(0, 0, 94, 91, 9)),
    data_at(firmware_version, code(1, 0, 0, 2, 0)),
    register_at(active_import, code(1, 0, 1, 8, 0), 0, Unit::watt_hour),
    register_at(active_export, code(1, 0, 2, 8, 0), 0, Unit::watt_hour),
    register_at(apparent_import, code(1, 0, 9, 8, 0), 0, Unit::volt_ampere_hour),
    register_at(apparent_export, code(1, 0, 10, 8, 0), 0, Unit::volt_ampere_hour),
    register_at(active_import_tariff_1, code(1, 0, 1, 8, 1), 0, Unit::watt_hour),
    register_at(active_import_tariff_2, code(1, 0, 1, 8, 2), 0, Unit::watt_hour),
    {maximum_demand_import, code(1, 0, 1, 6, 0), 4, 2, {0, Unit::watt}},
    register_at(power_import, code(1, 0, 1, 7, 0), 0, Unit::watt),
    register_at(voltage_l1, code(1, 0, 12, 7, 0), -2, Unit::volt),  // three phase: 32, 52 and 72
    register_at(current_l1, code(1, 0, 11, 7, 0), -2, Unit::ampere),
    profile_at(instantaneous_profile, code(1, 0, 94, 91, 0)),
    profile_at(load_profile, code(1, 0, 99, 1, 0)),   // "block load", 30 or 15 minutes
    profile_at(daily_profile, code(1, 0, 99, 2, 0)),  // "daily load"
    profile_at(billing_profile, code(1, 0, 98, 1, 0)),
    profile_at(name_plate_profile, code(0, 0, 94, 91, 10)),
    profile_at(event_log, code(0, 0, 99, 98, 4)),  // "others"; 0 voltage, 1 current, 2 power, 3 transactions
    profile_at(disconnect_log, code(0, 0, 99, 98, 6)),  // "control events"
    object_at(disconnect_control, code(0, 0, 96, 3, 10), 70),
    object_at(limiter, code(0, 0, 17, 0, 0), 71),
    object_at(image_transfer, code(0, 0, 44, 0, 0), 18),
    object_at(image_activation_schedule, code(0, 0, 15, 0, 2), 22),
    object_at(image_activation_script, code(0, 0, 10, 0, 107), 9),
    object_at(activity_calendar, code(0, 0, 13, 0, 0), 20),
    object_at(tariff_script, code(0, 0, 10, 0, 100), 9),
    object_at(push_setup, code(0, 0, 25, 9, 0), 40),
    object_at(security_setup, code(0, 0, 43, 0, 3), 64),  // [M] of the utility setting association
    data_at(invocation_counter, code(0, 0, 43, 1, 3)),    // likewise
    data_at(tamper_count, code(0, 0, 94, 91, 0)),
};

/// Single phase block load: average voltage, energies of the block.
constexpr dlms::CaptureObject block_columns[]{
    column(8, obis::clock),          column(3, code(1, 0, 12, 27, 0)), column(3, code(1, 0, 1, 29, 0)),
    column(3, code(1, 0, 9, 29, 0)), column(3, code(1, 0, 2, 29, 0)),  column(3, code(1, 0, 10, 29, 0))};
constexpr dlms::CaptureObject daily_columns[]{column(8, obis::clock), column(3, code(1, 0, 1, 8, 0)),
                                              column(3, code(1, 0, 9, 8, 0)), column(3, code(1, 0, 2, 8, 0)),
                                              column(3, code(1, 0, 10, 8, 0))};
constexpr dlms::CaptureObject name_plate_columns[]{
    column(1, code(0, 0, 96, 1, 0)),  column(1, code(0, 0, 96, 1, 1)),   column(1, code(1, 0, 0, 2, 0)),
    column(1, code(0, 0, 94, 91, 9)), column(1, code(0, 0, 94, 91, 11)), column(1, code(0, 0, 94, 91, 12)),
    column(1, code(0, 0, 96, 1, 4))};

constexpr ModelProfile profiles[]{
    {load_profile, 1800, block_columns, code(1, 0, 94, 91, 4)},
    {daily_profile, 86'400, daily_columns, code(1, 0, 94, 91, 5)},
    {name_plate_profile, 0, name_plate_columns, {}},
};

/// FLAG ids. [M]
constexpr std::string_view makers[]{"SML", "GOE", "HPL", "LNT", "LGP", "GNS"};

}  // namespace

constinit const MeterModel is15959{
    .name = "is15959",
    .summary = "IS 15959 parts 1 and 2 (India): meter reader 32, utility setting 48",
    .makers = makers,
    .public_client = {Sap{16}, Authentication::none, false, false},
    .reading_client = {Sap{32}, Authentication::low, true, false},
    .management_client = {Sap{48}, Authentication::high_gmac, true, false},
    .pdu_size_max = 0x0400,
    .objects = objects,
    .profiles = profiles,
    .quirks = {},
    .reading_keys = ReadingKeys::separate};

}  // namespace wattmesh::cosem::models
