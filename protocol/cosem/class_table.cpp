#include "protocol/cosem/class_table.h"

#include <algorithm>
#include <array>

#include "protocol/cosem/activity_calendar.h"
#include "protocol/cosem/association_ln.h"
#include "protocol/cosem/clock.h"
#include "protocol/cosem/image_transfer_class.h"
#include "protocol/cosem/mbus_client.h"
#include "protocol/cosem/measurement.h"
#include "protocol/cosem/monitors.h"
#include "protocol/cosem/network_setup.h"
#include "protocol/cosem/payment.h"
#include "protocol/cosem/port_setup.h"
#include "protocol/cosem/profile_generic.h"
#include "protocol/cosem/push_setup.h"
#include "protocol/cosem/register_activation.h"
#include "protocol/cosem/schedule.h"
#include "protocol/cosem/script_table.h"
#include "protocol/cosem/security_setup.h"
#include "protocol/dlms/data_tag.h"

namespace wattmesh::cosem {

namespace {

/// A new class is added here.
constexpr std::array all{&data::spec,
                         &register_::spec,
                         &extended_register::spec,
                         &demand_register::spec,
                         &register_activation::spec,
                         &profile_generic::spec,
                         &clock::spec,
                         &script_table::spec,
                         &schedule::spec,
                         &special_days::spec,
                         &association_ln::spec_0,
                         &association_ln::spec_1,
                         &association_ln::spec_2,
                         &association_ln::spec_3,
                         &sap_assignment::spec,
                         &image_transfer::spec,
                         &local_port_setup::spec,
                         &activity_calendar::spec,
                         &register_monitor::spec,
                         &single_action_schedule::spec,
                         &hdlc_setup::spec,
                         &auto_answer::spec_0,
                         &auto_answer::spec_2,
                         &auto_connect::spec_1,
                         &auto_connect::spec_2,
                         &push_setup::spec_0,
                         &push_setup::spec_1,
                         &push_setup::spec_2,
                         &tcp_udp_setup::spec,
                         &ipv4_setup::spec,
                         &gprs_modem_setup::spec,
                         &gsm_diagnostic::spec_0,
                         &gsm_diagnostic::spec_1,
                         &gsm_diagnostic::spec_2,
                         &security_setup::spec_0,
                         &security_setup::spec_1,
                         &arbitrator::spec,
                         &disconnect_control::spec,
                         &limiter::spec,
                         &mbus_client::spec_0,
                         &mbus_client::spec_1,
                         &account::spec,
                         &credit::spec,
                         &charge::spec,
                         &token_gateway::spec,
                         &iec_62055_41_attributes::spec};

constexpr std::array<std::pair<Type, std::string_view>, 26> words{{
    {Type::null_data, "null-data"},
    {Type::array, "array"},
    {Type::structure, "structure"},
    {Type::boolean, "boolean"},
    {Type::bit_string, "bit-string"},
    {Type::int32, "double-long"},
    {Type::uint32, "double-long-unsigned"},
    {Type::octet_string, "octet-string"},
    {Type::visible_string, "visible-string"},
    {Type::utf8_string, "utf8-string"},
    {Type::bcd, "bcd"},
    {Type::int8, "integer"},
    {Type::int16, "long"},
    {Type::uint8, "unsigned"},
    {Type::uint16, "long-unsigned"},
    {Type::compact_array, "compact-array"},
    {Type::int64, "long64"},
    {Type::uint64, "long64-unsigned"},
    {Type::enumeration, "enum"},
    {Type::float32, "float32"},
    {Type::float64, "float64"},
    {Type::date_time, "date-time"},
    {Type::date, "date"},
    {Type::time, "time"},
    {Type::delta, "delta"},
    {Type::dont_care, "dont-care"},
}};

template <class Spec>
const Spec* find(std::span<const Spec> specs, std::int8_t id) {
    const auto found =
        std::find_if(specs.begin(), specs.end(), [&](const Spec& spec) { return spec.id == id; });
    return found == specs.end() ? nullptr : &*found;
}

template <class Spec>
Checked<const Spec*> check(const ClassSpec& owner, const Spec* spec, const Types& types,
                           const dlms::Data& value) {
    if (!spec) return Misfit{Fault::unexpected, owner.name, {}, {}};
    if (!types.contain(type_of(value))) return Misfit{Fault::bad_tag, owner.name, spec->name, {}};
    if (spec->check)
        if (auto misfit = spec->check(value)) {
            misfit->class_name = owner.name;
            misfit->member = spec->name;
            return std::move(*misfit);
        }
    return spec;
}

}  // namespace

Type type_of(const dlms::Data& data) {
    const std::uint8_t tag = dlms::tag_of(data);
    if (tag == dlms::tag::dont_care) return Type::dont_care;
    return tag >= dlms::tag::delta_int8 ? Type::delta : static_cast<Type>(tag);
}

std::string_view to_string(Type type) {
    const auto found =
        std::find_if(words.begin(), words.end(), [&](const auto& word) { return word.first == type; });
    return found == words.end() ? "?" : found->second;
}

std::string to_string(const Types& types) {
    std::string text;
    for (const auto& [type, word] : words)
        if (types.contain(type)) (text += text.empty() ? "" : " or ") += word;
    return text;
}

std::string to_string(const Misfit& misfit) {
    std::string text{misfit.class_name};
    if (!misfit.member.empty()) (text += '.') += misfit.member;
    text += misfit.element;
    return (text += ": ") += to_string(misfit.fault);
}

const AttributeSpec* ClassSpec::attribute(std::int8_t id) const { return find(attributes, id); }
const MethodSpec* ClassSpec::method(std::int8_t id) const { return find(methods, id); }

std::span<const ClassSpec* const> classes() { return all; }

const ClassSpec* find_class(std::uint16_t class_id, std::uint8_t version) {
    const auto found = std::find_if(all.begin(), all.end(), [&](const ClassSpec* spec) {
        return spec->class_id == class_id && spec->version == version;
    });
    return found == all.end() ? nullptr : *found;
}

const ClassSpec* find_class(std::uint16_t class_id) {
    const auto found = std::find_if(all.rbegin(), all.rend(),
                                    [&](const ClassSpec* spec) { return spec->class_id == class_id; });
    return found == all.rend() ? nullptr : *found;
}

Checked<const AttributeSpec*> conforms(const ClassSpec& spec, std::int8_t attribute,
                                       const dlms::Data& value) {
    const auto* found = spec.attribute(attribute);
    return check(spec, found, found ? found->types : Types{}, value);
}

Checked<const MethodSpec*> conforms_method(const ClassSpec& spec, std::int8_t method,
                                           const std::optional<dlms::Data>& argument) {
    const auto* found = spec.method(method);
    return check(spec, found, found ? found->argument_types : Types{}, argument.value_or(dlms::Data{}));
}

}  // namespace wattmesh::cosem
