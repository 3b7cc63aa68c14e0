#include "protocol/cosem/models/models.h"
#include "protocol/cosem/models/objects.h"

/// Dutch and Belgian meters (DSMR 5), the example of README.md: what differs from IDIS is all that is said.
/// Source: DSMR P3 companion standard 5.0.2 for names; [M] makers and clients.
namespace wattmesh::cosem::models {

namespace {

using enum Quantity;

constexpr ModelObject objects[]{
    object_at(clock, obis::clock, 8),
    data_at(logical_device_name, obis::logical_device_name),
    data_at(serial_number, code(0, 0, 96, 1, 1)),
    data_at(meter_type, code(0, 0, 96, 1, 2)),  // [M]
    data_at(firmware_version, code(1, 0, 0, 2, 0)),
    register_at(active_import_tariff_1, code(1, 0, 1, 8, 1), 0, Unit::watt_hour),
    register_at(active_import_tariff_2, code(1, 0, 1, 8, 2), 0, Unit::watt_hour),
    register_at(power_import, code(1, 0, 1, 7, 0), 0, Unit::watt),
    profile_at(load_profile, code(1, 0, 99, 1, 0)),
    profile_at(daily_profile, code(1, 0, 99, 2, 0)),
    profile_at(billing_profile, code(0, 0, 98, 1, 0)),
    profile_at(event_log, code(0, 0, 99, 98, 0)),
    object_at(disconnect_control, code(0, 0, 96, 3, 10), 70),
    object_at(image_transfer, code(0, 0, 44, 0, 0), 18),
    object_at(image_activation_schedule, code(0, 0, 15, 0, 2), 22),
    object_at(activity_calendar, code(0, 0, 13, 0, 0), 20),
    object_at(push_setup, code(0, 0, 25, 9, 0), 40),  // named in SMR5 pushes
    object_at(security_setup, code(0, 0, 43, 0, 0), 64),
    data_at(invocation_counter, code(0, 0, 43, 1, 0)),  // [M]
    object_at(mbus_client_1, code(0, 1, 24, 1, 0), 72),
};
constexpr std::string_view makers[]{"KFM", "SAG", "XMX", "FLU"};

}  // namespace

constinit const MeterModel dsmr{
    .name = "dsmr",
    .summary = "DSMR 5 (Netherlands, Belgium): energies by tariff only, gas meter on M-Bus channel 1",
    .makers = makers,
    .public_client = {Sap{16}, Authentication::none, false, false},
    .reading_client = {Sap{102}, Authentication::none, true, true},
    .management_client = {Sap{1}, Authentication::high_gmac, true, false},
    .pdu_size_max = 0x0400,
    .objects = objects,
    .profiles = {},
    .quirks = {.tagged_date_time =
                   true},  // Kaifa's push has a tag in front of the date (fact sheet, UI-KAIFA)
    .reading_keys = ReadingKeys::shared};

}  // namespace wattmesh::cosem::models
