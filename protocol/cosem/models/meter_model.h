#pragma once
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "protocol/base/id.h"
#include "protocol/cosem/parts.h"
#include "protocol/dlms/quirks.h"

/// Meter models as data: where a kind of meter keeps what, which clients it knows, what it does otherwise
/// than the standard. A new model is one small file in this folder; the README says how.
namespace wattmesh::cosem {

/// What a reader wants to know, apart from where a model keeps it.
enum class Quantity : std::uint8_t {
    clock,
    logical_device_name,
    serial_number,
    manufacturer,
    firmware_version,
    active_import,
    active_export,
    reactive_import,
    reactive_export,
    apparent_import,
    apparent_export,
    active_import_tariff_1,
    active_import_tariff_2,
    maximum_demand_import,
    power_import,
    voltage_l1,
    voltage_l2,
    voltage_l3,
    current_l1,
    current_l2,
    current_l3,
    load_profile,
    daily_profile,
    billing_profile,
    instantaneous_profile,
    name_plate_profile,
    event_log,
    disconnect_log,
    profile_status,
    error_register,
    alarm_register,
    disconnect_control,
    limiter,
    image_transfer,
    image_activation_schedule,
    image_activation_script,
    activity_calendar,
    special_days,
    tariff_script,
    push_setup,
    security_setup,
    invocation_counter,  ///< of the management client
    mbus_client_1,
    tamper_count,
    meter_type,  ///< the text that image files name as their model
    account,
    token_credit,
    token_gateway,
    sts_attributes,
    load_side_voltage,  ///< behind the breaker: with it open, somebody else's
};
std::string_view to_string(Quantity quantity);

/// Where a model keeps something. `scaler` is what counts when the meter itself has no scaler_unit to read.
struct ModelObject {
    Quantity quantity{};
    ObisCode name;
    std::uint16_t class_id = 0;
    std::int8_t attribute = 2;
    ScalerUnit scaler{};
};

/// What a profile captures from the factory; the meter's own capture_objects count where they can be read.
struct ModelProfile {
    Quantity quantity{};
    std::uint32_t period_s = 0;  ///< 0: by events
    std::span<const dlms::CaptureObject> columns;
    /// IS 15959: a profile generic with one row that holds the scaler_unit of each column.
    std::optional<ObisCode> scaler_profile;
};

enum class Authentication : std::uint8_t { none, low, high_gmac };
/// One association that a meter offers.
struct ModelClient {
    Sap client;
    Authentication authentication{};
    bool ciphered = false;
    bool pre_established = false;
};

/// Whether a concentrator may get keys of its own that read and switch nothing. `separate`: the reading
/// client has its own keys; `shared`: one key set for all clients, which stays in the head-end; `local_only`:
/// readable through the meter's local port only.
enum class ReadingKeys : std::uint8_t { separate, shared, local_only };
std::string_view to_string(ReadingKeys keys);

/// What closes the breaker again after a meter that sells by token got credit.
enum class Reconnection : std::uint8_t {
    by_itself,
    by_hand,     ///< the customer presses the button
    by_command,  ///< remote_reconnect of the disconnector
};
std::string_view to_string(Reconnection reconnection);

struct MeterModel {
    std::string_view name;  ///< stable word for settings and the database
    std::string_view summary;
    /// FLAG ids (three letters) that start logical device names and system titles of this model's makers.
    std::span<const std::string_view> makers;
    ModelClient public_client, reading_client, management_client;
    std::uint16_t pdu_size_max = 0xFFFF;  ///< what to propose
    std::span<const ModelObject> objects;
    std::span<const ModelProfile> profiles;
    dlms::Quirks quirks{};
    ReadingKeys reading_keys = ReadingKeys::separate;
    /// Of meters that sell by token, which have an account, a token credit and a token gateway. Absent: this
    /// model does not.
    std::optional<Reconnection> reconnection{};

    /// nullptr when this model has no such thing.
    const ModelObject* find(Quantity quantity) const;
    const ModelObject* find(const ObisCode& name) const;
    const ModelProfile* profile(Quantity quantity) const;
};

/// Every model, `generic` last.
std::span<const MeterModel* const> meter_models();
/// nullptr when no model has this name.
const MeterModel* meter_model(std::string_view name);
/// The model whose maker the logical device name (or, when that is empty, the system title) starts with;
/// `generic` when nobody's. A maker can build several kinds of meter: what the registry says goes first.
const MeterModel& model_of(std::string_view logical_device_name, const SystemTitle& title = {});

}  // namespace wattmesh::cosem
