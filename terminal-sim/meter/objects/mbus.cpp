#include "protocol/cosem/mbus_client.h"

#include "protocol/cosem/measurement.h"
#include "terminal-sim/meter/meter.h"

/// A gas meter behind this one, on channel 1: it counts steadily.
namespace wattmesh::sim {

using namespace dlms;

namespace {

/// "WMT" in 5 bits a letter (EN 13757-3, 5.5).
constexpr std::uint16_t manufacturer = ('W' - 64) << 10 | ('M' - 64) << 5 | ('T' - 64);
constexpr std::uint8_t gas = 3;

ReadOutcome read_client(const Meter& meter, const SimObject::Read& what) {
    using namespace cosem::mbus_client;
    switch (what.attribute) {
        case 2:
            return mbus_port_reference.write(object_name(0, 0, 24, 0, 0));
        case 3:
            return capture_definition.write({{{0x0C}, {0x13}}});  // volume in litres, BCD
        case 4:
            return capture_period.write(3600);
        case 5:
            return primary_address.write(1);
        case 6:
            return identification_number.write(static_cast<std::uint32_t>(meter.settings().number.integer()));
        case 7:
            return manufacturer_id.write(manufacturer);
        case 8:
            return version.write(1);
        case 9:
            return device_type.write(gas);
        case 14:
            return encryption_key_status.write(KeyStatus::no_encryption_key);
        case 13:
            return configuration.write(0);
        default:
            return status.write(0);  // access number, status and alarm
    }
}

ReadOutcome read_volume(const Meter& meter, const SimObject::Read& what) {
    using namespace cosem::extended_register;
    const Instant shown = meter.shown_time(what.now);
    const Instant hour = std::chrono::floor<std::chrono::hours>(shown);
    switch (what.attribute) {
        case 2: {
            constexpr std::int64_t litres_per_hour = 137;
            const auto hours = (hour - meter.settings().installed_at) / std::chrono::hours{1};
            return value.write(
                static_cast<std::uint32_t>(std::max<std::int64_t>(hours, 0) * litres_per_hour));
        }
        case 3:
            return scaler_unit.write({-3, cosem::Unit::cubic_metre});
        case 4:
            return status.write(std::uint8_t{0});
        default:
            return capture_time.write(cosem::raw({.at = hour}));
    }
}

}  // namespace

void ObjectMaker::mbus(SimObjects& objects) {
    objects.push_back({.spec = &cosem::mbus_client::spec_1,
                       .name = object_name(0, 1, 24, 1, 0),
                       .audience = for_management,
                       .read = read_client,
                       .writable = {3, 4}});
    objects.push_back(
        {.spec = &cosem::extended_register::spec, .name = object_name(0, 1, 24, 2, 1), .read = read_volume});
}

}  // namespace wattmesh::sim
