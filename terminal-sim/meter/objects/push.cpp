#include "protocol/cosem/push_setup.h"

#include "protocol/cosem/measurement.h"
#include "protocol/cosem/schedule.h"
#include "protocol/cosem/script_table.h"
#include "protocol/cosem/security_setup.h"
#include "protocol/dlms/apdu.h"
#include "protocol/dlms/date_time.h"
#include "protocol/dlms/security_frame.h"
#include "terminal-sim/meter/meter.h"

/// Push setup, on interval: clock, name and energy; its schedule and script; alarms. What is to be sent goes
/// to whoever has the link (MeterSettings::send_push).
namespace wattmesh::sim {

using namespace dlms;

namespace {

using namespace cosem::push_setup;

constexpr ObisCode push_script = object_name(0, 0, 10, 0, 108);
constexpr ObisCode alarm_register = object_name(0, 0, 97, 98, 0);
/// Its bits.
constexpr std::uint32_t alarm_limit_exceeded = 1;

ReadOutcome read_push(const Meter& meter, const SimObject::Read& what) {
    const auto energy = meter.object_named(cosem::Quantity::active_import);
    switch (what.attribute) {
        case 2:
            return push_object_list_1.write({{40, what.object.name, 1, 0, {}},
                                             {1, obis::logical_device_name, 2, 0, {}},
                                             {8, obis::clock, 2, 0, {}},
                                             {3, energy, 2, 0, {}}});
        case 3:
            return send_destination_and_method.write(meter.settings().push_destination);
        case 4:
            return communication_window.write({});
        case 5:
            return randomisation_start_interval.write(0);
        case 6:
            return number_of_retries.write(0);
        case 7:
            return repetition_delay.write(60);
        case 8:
            return port_reference.write(meter.settings().over_radio ? ObisCode{}
                                                                    : object_name(0, 0, 25, 0, 0));
        case 9:
            return push_client_sap.write(
                static_cast<std::int8_t>(meter.settings().model->management_client.client.value));
        default:
            return push_protection_parameters.write({});
    }
}

ReadOutcome read_schedule(const Meter&, const SimObject::Read& what) {
    using namespace cosem::single_action_schedule;
    if (what.attribute == 2) return executed_script.write({push_script, 1});
    if (what.attribute == 3) return type.write(ScheduleType::different_times_wildcard_dates);
    return execution_time.write({});
}

ReadOutcome read_scripts(const Meter& meter, const SimObject::Read&) {
    using namespace cosem::script_table;
    const auto setup = meter.object_named(cosem::Quantity::push_setup);
    return scripts.write({{1, {{Service::execute_method, 40, setup, 1, std::int8_t{0}}}}});
}

/// Security control bits that a layer of push_protection_parameters asks for: protection_type 0
/// authentication, 1 encryption, 2 both (Blue Book ed. 14, 4.4.9.2). Signatures are not made here.
std::uint8_t control_of(const Data& layer) {
    const auto* parts = layer.elements();
    if (parts == nullptr || parts->empty()) return 0;
    constexpr std::array<std::uint8_t, 3> bits{security_control::authenticated, security_control::encrypted,
                                               security_control::authenticated_encrypted};
    const auto type = (*parts)[0].integer().value_or(-1);
    return type >= 0 && type < 3 ? bits[static_cast<std::size_t>(type)] : std::uint8_t{0};
}

/// Restriction of a profile's rows, {from, to} (Blue Book ed. 14, 4.4.8.2.2).
Selection selection_of(const Restriction& restriction) {
    const auto* bounds = restriction.restriction_value.elements();
    if (restriction.restriction_type == RestrictionType::none || bounds == nullptr || bounds->size() != 2)
        return {};
    if (restriction.restriction_type == RestrictionType::by_date)
        return RangeSelection{{8, obis::clock, 2, 0}, (*bounds)[0], (*bounds)[1], {}};
    const auto from = (*bounds)[0].integer().value_or(1), to = (*bounds)[1].integer().value_or(0);
    return EntrySelection{static_cast<std::uint32_t>(from), static_cast<std::uint32_t>(to), 1, 0};
}

/// With data_index n the n-th element of an array or a structure.
Data element_of(Data value, std::uint16_t data_index) {
    if (data_index == 0) return value;
    const auto* elements = value.elements();
    if (elements == nullptr || data_index > elements->size()) return {};
    Data element = (*elements)[data_index - 1U];
    return element;
}

}  // namespace

void ObjectMaker::push(SimObjects& objects) {
    objects.push_back({.spec = &cosem::push_setup::spec_1,
                       .name = object_name(0, 0, 25, 9, 0),
                       .audience = for_management,
                       .read = read_push,
                       .writable = {2, 3, 4, 5, 6, 7, 8, 9, 10},
                       .methods = {1},
                       .act = [](Meter& meter, const SimObject::Call& what) -> ActionOutcome {
                           return {meter.push(what.now), {}};
                       }});
    objects.push_back({.spec = &cosem::script_table::spec,
                       .name = push_script,
                       .audience = for_management,
                       .read = read_scripts,
                       .methods = {1},
                       .act = [](Meter& meter, const SimObject::Call& what) -> ActionOutcome {
                           const auto number = static_cast<std::uint16_t>(*what.argument.integer());
                           return {meter.execute({push_script, number}, what.now), {}};
                       }});
    objects.push_back({.spec = &cosem::single_action_schedule::spec,
                       .name = object_name(0, 0, 15, 0, 4),
                       .audience = for_management,
                       .read = read_schedule,
                       .writable = {2, 3, 4}});
    objects.push_back(
        {.spec = &cosem::data::spec,
         .name = alarm_register,
         .audience = for_management,
         .read = [](const Meter&, const SimObject::Read&) -> ReadOutcome { return Data{std::uint32_t{0}}; },
         .writable = {2},
         .write =
             [](Meter& meter, const Data& value, Instant now) {
                 if (value.as<std::uint32_t>() == nullptr) return AccessResult::type_unmatched;
                 meter.perform({Deed::Kind::written, now, {}, deed_content(1, alarm_register, 2, value)});
                 return AccessResult::success;
             }});
}

template <class T>
T Meter::push_attribute(const cosem::Attribute<T>& which, Instant now) const {
    const ObisCode name = object_named(cosem::Quantity::push_setup);
    const auto outcome = value_of({40, name, which.id}, {}, settings_.model->management_client.client, now);
    const auto* data = std::get_if<Data>(&outcome);  // none: this model has no Push setup
    const auto value = data != nullptr ? which.read(*data) : cosem::Checked<T>{T{}};
    return value ? *value : T{};
}

Data Meter::push_body(Instant now) const {
    std::vector<Data> values;
    for (const auto& object : push_attribute(push_object_list_1, now)) {
        auto outcome =
            value_of({object.class_id, object.logical_name, object.attribute_index},
                     selection_of(object.restriction), settings_.model->management_client.client, now);
        auto* value = std::get_if<Data>(&outcome);
        values.push_back(value == nullptr ? Data{} : element_of(std::move(*value), object.data_index));
    }
    return structure(std::move(values));
}

/// The security policy covers what the meter sends by itself, and the Push setup can only ask for more [M].
PushOrder Meter::push_order(Buffer apdu, Instant now) const {
    using namespace cosem::security_setup;
    PushOrder order;
    order.apdu = std::move(apdu);
    order.destination = push_attribute(send_destination_and_method, now);
    order.client = Sap{static_cast<std::uint8_t>(push_attribute(push_client_sap, now))};
    order.windows = push_attribute(communication_window, now);
    order.randomisation_s = push_attribute(randomisation_start_interval, now);
    order.retries = push_attribute(number_of_retries, now);
    order.repetition_delay_s = push_attribute(repetition_delay, now);
    unsigned control = 0;
    const unsigned policy = security_policy();
    if ((policy & policy_bit::authenticated_response) != 0) control |= security_control::authenticated;
    if ((policy & policy_bit::encrypted_response) != 0) control |= security_control::encrypted;
    for (const auto& layer : push_attribute(push_protection_parameters, now)) control |= control_of(layer);
    order.protection = static_cast<std::uint8_t>(control);
    return order;
}

AccessResult Meter::push(Instant now) {
    if (!settings_.send_push) return AccessResult::object_unavailable;
    const Instant shown = clock_.shown(now);
    const auto stamp = encode_date_time({.at = shown});
    push_last_ = (push_last_ + 1) & 0x00FF'FFFF;  // bits 0 to 23 of the long invoke-id
    Buffer apdu = encode(DataNotification{push_last_, Buffer(stamp.begin(), stamp.end()), push_body(now)});
    constexpr std::ptrdiff_t before_date = 5;  // tag and long invoke-id
    if (settings_.quirks.tagged_date_time) apdu.insert(apdu.begin() + before_date, 0x09);
    auto order = push_order(std::move(apdu), now);
    if (order.destination.destination.empty()) return AccessResult::other_reason;
    settings_.send_push(std::move(order));
    return AccessResult::success;
}

/// Sets a bit of the alarm register and says so, once until the register is cleared.
void Meter::push_alarm(Instant now) {
    const auto stored = attribute(alarm_register, 2);
    const auto present = static_cast<std::uint32_t>(stored ? stored->integer().value_or(0) : 0);
    if ((present & alarm_limit_exceeded) != 0) return;
    store(alarm_register, 2, Data{present | alarm_limit_exceeded});
    if (!settings_.send_push) return;
    const auto stamp = encode_date_time({.at = clock_.shown(now)});
    auto order = push_order(encode(EventNotification{Buffer(stamp.begin(), stamp.end()),
                                                     {1, alarm_register, 2},
                                                     Data{present | alarm_limit_exceeded}}),
                            now);
    if (!order.destination.destination.empty()) settings_.send_push(std::move(order));
}

}  // namespace wattmesh::sim
