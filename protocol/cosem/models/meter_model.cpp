#include "protocol/cosem/models/meter_model.h"

#include <algorithm>
#include <array>

#include "protocol/cosem/models/models.h"

namespace wattmesh::cosem {

namespace {

/// A new model is added here, before `generic`.
constexpr std::array all{&models::idis,    &models::dsmr,           &models::is15959,
                         &models::prepaid, &models::prepaid_remote, &models::generic};

bool made_by(const MeterModel& model, std::string_view who) {
    return std::any_of(model.makers.begin(), model.makers.end(),
                       [&](std::string_view maker) { return who.substr(0, maker.size()) == maker; });
}

}  // namespace

const ModelObject* MeterModel::find(Quantity quantity) const {
    const auto found = std::find_if(objects.begin(), objects.end(),
                                    [&](const ModelObject& object) { return object.quantity == quantity; });
    return found == objects.end() ? nullptr : &*found;
}

const ModelObject* MeterModel::find(const ObisCode& code) const {
    const auto found = std::find_if(objects.begin(), objects.end(),
                                    [&](const ModelObject& object) { return object.name == code; });
    return found == objects.end() ? nullptr : &*found;
}

const ModelProfile* MeterModel::profile(Quantity quantity) const {
    const auto found = std::find_if(profiles.begin(), profiles.end(), [&](const ModelProfile& profile) {
        return profile.quantity == quantity;
    });
    return found == profiles.end() ? nullptr : &*found;
}

std::span<const MeterModel* const> meter_models() { return all; }

const MeterModel* meter_model(std::string_view name) {
    const auto found =
        std::find_if(all.begin(), all.end(), [&](const MeterModel* model) { return model->name == name; });
    return found == all.end() ? nullptr : *found;
}

const MeterModel& model_of(std::string_view logical_device_name, const SystemTitle& title) {
    const std::string letters{title.octets.begin(), title.octets.begin() + 3};
    const std::string_view who =
        logical_device_name.empty() ? std::string_view{letters} : logical_device_name;
    const auto found =
        std::find_if(all.begin(), all.end(), [&](const MeterModel* model) { return made_by(*model, who); });
    return found == all.end() ? models::generic : **found;
}

std::string_view to_string(ReadingKeys keys) {
    switch (keys) {
        case ReadingKeys::separate:
            return "separate";
        case ReadingKeys::shared:
            return "shared";
        case ReadingKeys::local_only:
            return "local_only";
    }
    return "?";
}

std::string_view to_string(Reconnection reconnection) {
    switch (reconnection) {
        case Reconnection::by_itself:
            return "by_itself";
        case Reconnection::by_hand:
            return "by_hand";
        case Reconnection::by_command:
            return "by_command";
    }
    return "?";
}

std::string_view to_string(Quantity quantity) {
    // In the order of the enumeration.
    static constexpr std::array<std::string_view, 50> words{
        "clock",
        "logical_device_name",
        "serial_number",
        "manufacturer",
        "firmware_version",
        "active_import",
        "active_export",
        "reactive_import",
        "reactive_export",
        "apparent_import",
        "apparent_export",
        "active_import_tariff_1",
        "active_import_tariff_2",
        "maximum_demand_import",
        "power_import",
        "voltage_l1",
        "voltage_l2",
        "voltage_l3",
        "current_l1",
        "current_l2",
        "current_l3",
        "load_profile",
        "daily_profile",
        "billing_profile",
        "instantaneous_profile",
        "name_plate_profile",
        "event_log",
        "disconnect_log",
        "profile_status",
        "error_register",
        "alarm_register",
        "disconnect_control",
        "limiter",
        "image_transfer",
        "image_activation_schedule",
        "image_activation_script",
        "activity_calendar",
        "special_days",
        "tariff_script",
        "push_setup",
        "security_setup",
        "invocation_counter",
        "mbus_client_1",
        "tamper_count",
        "meter_type",
        "account",
        "token_credit",
        "token_gateway",
        "sts_attributes",
        "load_side_voltage",
    };
    const auto index = static_cast<std::size_t>(quantity);
    return index < words.size() ? words[index] : "?";
}

}  // namespace wattmesh::cosem
