#include "protocol/dcu/firmware.h"
#include "protocol/dcu/journal.h"
#include "protocol/dcu/objects.h"
#include "protocol/dcu/uplink_state.h"

/// Journal rows, their payloads and the versioned objects: whatever a concentrator or head-end may be told.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace wattmesh;
    const Bytes bytes{data, size};
    static_cast<void>(dcu::decode_meter_link(bytes));
    static_cast<void>(dcu::decode_read_failure(bytes));
    static_cast<void>(dcu::decode_gap_range(bytes));
    if (const auto rows = dcu::decode_profile_rows(bytes))
        static_cast<void>(dcu::interval_rows(*rows, std::chrono::minutes{15}));
    if (const auto told = dcu::decode_image_told(bytes))
        if (dcu::decode_image_told(dcu::encode(*told)).value() != *told) __builtin_trap();
    const auto value = dlms::decode_data(bytes);
    if (!value) return 0;
    if (const auto entry = dcu::entry_from_data(*value))
        if (dcu::entry_from_data(dcu::to_data(*entry)).value() != *entry) __builtin_trap();
    static_cast<void>(dcu::directory_from_data(*value));
    static_cast<void>(dcu::acknowledgement_from_data(*value));
    static_cast<void>(dcu::meter_list_from_data(*value));
    static_cast<void>(dcu::wrapped_keys_from_data(*value));
    static_cast<void>(dcu::reading_plan_from_data(*value));
    static_cast<void>(dcu::limits_from_data(*value));
    static_cast<void>(dcu::backfill_from_data(*value));
    if (const auto order = dcu::firmware_order_from_data(*value))
        if (dcu::firmware_order_from_data(dcu::to_data(*order)).value() != *order) __builtin_trap();
    static_cast<void>(dcu::topology_from_data(*value));
    static_cast<void>(dcu::statistics_from_data(*value));
    if (const auto state = dcu::uplink_state_from_data(*value))
        if (dcu::uplink_state_from_data(dcu::to_data(*state)).value() != *state) __builtin_trap();
    return 0;
}
