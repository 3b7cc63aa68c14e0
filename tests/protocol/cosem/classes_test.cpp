#include <catch2/catch.hpp>
#include <string>

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

using namespace wattmesh;
using namespace wattmesh::cosem;

namespace {

constexpr ObisCode some_object{{0, 0, 96, 3, 10, 255}};

template <class T>
struct Sample {
    static T make() { return T{}; }
};
template <class T>
    requires std::is_integral_v<T>
struct Sample<T> {
    static T make() { return T{1}; }
};
template <class E>
    requires std::is_enum_v<E>
struct Sample<E> {
    static E make() { return static_cast<E>(1); }
};
template <>
struct Sample<dlms::Data> {
    static dlms::Data make() { return std::uint32_t{5009}; }
};
template <>
struct Sample<std::string> {
    static std::string make() { return "wattmesh"; }
};
template <>
struct Sample<Buffer> {
    static Buffer make() { return {1, 2, 3}; }
};
template <>
struct Sample<ObisCode> {
    static ObisCode make() { return some_object; }
};
template <>
struct Sample<dlms::BitString> {
    static dlms::BitString make() { return {3, {0xA0}}; }
};
template <>
struct Sample<dlms::CaptureObject> {
    static dlms::CaptureObject make() { return {8, obis::clock, 2, 0}; }
};
template <class T>
struct Sample<std::vector<T>> {
    static std::vector<T> make() { return {Sample<T>::make(), Sample<T>::make()}; }
};
template <Record S>
struct Sample<S> {
    static S make() {
        S value{};
        std::apply([&]<class... T>(T S::*... member) { ((value.*member = Sample<T>::make()), ...); },
                   S::members());
        return value;
    }
};

/// Structure <-> Data, the table agrees, and another type is refused by name.
template <class T>
void check(const ClassSpec& spec, const Attribute<T>& attribute) {
    INFO(spec.name << '.' << attribute.name);
    const T value = Sample<T>::make();
    dlms::Data data = attribute.write(value);
    if (attribute.name == "buffer" || attribute.types == association_ln::name_types)
        data = dlms::Data{dlms::Structure{}};
    if (attribute.name == "buffer") data = dlms::Data{dlms::Array{}};
    const auto back = attribute.read(data);
    REQUIRE(back);
    CHECK(attribute.write(*back) == data);
    const auto row = conforms(spec, attribute.id, data);
    REQUIRE(row);
    CHECK((*row)->name == attribute.name);
    CHECK(attribute.of(some_object) == dlms::AttributeId{spec.class_id, some_object, attribute.id});

    // DontCare is a value nowhere but in Data
    const dlms::Data foreign{dlms::DontCare{}};
    if (attribute.types.contain(Type::dont_care)) return;
    CHECK(conforms(spec, attribute.id, foreign).error() ==
          Misfit{Fault::bad_tag, spec.name, attribute.name, ""});
    if constexpr (!std::is_same_v<T, dlms::Data>)
        CHECK(attribute.read(foreign).error() == Misfit{Fault::bad_tag, spec.name, attribute.name, ""});
}

template <class... A>
void every(const ClassSpec& spec, const A&... attributes) {
    CHECK(sizeof...(A) + 1 == spec.attributes.size());
    (check(spec, attributes), ...);
}

/// An argument goes out and comes back, and another type is refused by name.
template <class... M>
void calls(const ClassSpec& spec, const M&... methods) {
    CHECK(sizeof...(M) == spec.methods.size());
    const auto one = [&]<class A>(const Method<A>& method) {
        INFO(spec.name << '.' << method.name);
        const A argument = Sample<A>::make();
        const MethodCall call = method(some_object, argument);
        CHECK(call.id == dlms::MethodId{spec.class_id, some_object, method.id});
        CHECK(conforms_method(spec, method.id, call.argument));
        const auto back = method.read(call.argument);
        REQUIRE(back);
        CHECK(*back == argument);
        CHECK(conforms_method(spec, method.id, dlms::Data{dlms::DontCare{}}).error() ==
              Misfit{Fault::bad_tag, spec.name, method.name, ""});
    };
    (one(methods), ...);
}

dlms::Data from(std::string_view hex) {
    const auto data = dlms::decode_data(*from_hex(hex));
    REQUIRE(data);
    return *data;
}

}  // namespace

TEST_CASE("classes: measured values keep their shape", "[cosem]") {
    every(data::spec, data::value);
    {
        using namespace register_;
        every(spec, value, scaler_unit);
        calls(spec, reset);
    }
    {
        using namespace extended_register;
        every(spec, value, scaler_unit, status, capture_time);
        calls(spec, reset);
    }
    {
        using namespace demand_register;
        every(spec, current_average_value, last_average_value, scaler_unit, status, capture_time,
              start_time_current, period, number_of_periods);
        calls(spec, reset, next_period);
    }
    {
        using namespace register_activation;
        every(spec, register_assignment, mask_list, active_mask);
        calls(spec, add_register, add_mask, delete_mask);
    }
    {
        using namespace profile_generic;
        every(spec, profile_generic::buffer, capture_objects, capture_period, sort_method, sort_object,
              entries_in_use, profile_entries);
        calls(spec, reset, capture);
    }
}

TEST_CASE("classes: time and what happens by itself keep their shape", "[cosem]") {
    {
        using namespace clock;
        every(spec, clock::time, time_zone, status, daylight_savings_begin, daylight_savings_end,
              daylight_savings_deviation, daylight_savings_enabled, clock_base);
        calls(spec, adjust_to_quarter, adjust_to_measuring_period, adjust_to_minute, adjust_to_preset_time,
              preset_adjusting_time, shift_time);
    }
    every(script_table::spec, script_table::scripts);
    calls(script_table::spec, script_table::execute);
    every(schedule::spec, schedule::entries);
    calls(schedule::spec, schedule::enable_disable, schedule::insert, schedule::delete_);
    every(special_days::spec, special_days::entries);
    calls(special_days::spec, special_days::insert, special_days::delete_);
    {
        using namespace single_action_schedule;
        every(spec, executed_script, type, execution_time);
    }
    {
        using namespace activity_calendar;
        every(spec, calendar_name_active, season_profile_active, week_profile_table_active,
              day_profile_table_active, calendar_name_passive, season_profile_passive,
              week_profile_table_passive, day_profile_table_passive, activate_passive_calendar_time);
        calls(spec, activate_passive_calendar);
    }
}

TEST_CASE("classes: access, security and images keep their shape", "[cosem]") {
    {
        using namespace association_ln;
        every(spec_0, object_list, associated_partners_id, application_context_name, xdlms_context_info,
              authentication_mechanism_name, secret, association_status);
        every(spec_2, object_list, associated_partners_id, application_context_name, xdlms_context_info,
              authentication_mechanism_name, secret, association_status, security_setup_reference, user_list,
              current_user);
        calls(spec_3, reply_to_hls_authentication, change_hls_secret, add_object, remove_object, add_user,
              remove_user);
    }
    every(sap_assignment::spec, sap_assignment::sap_assignment_list);
    calls(sap_assignment::spec, sap_assignment::connect_logical_device);
    {
        using namespace security_setup;
        every(spec_1, security_policy, security_suite, client_system_title, server_system_title,
              certificates);
        calls(spec_1, security_activate, key_transfer, key_agreement, generate_key_pair,
              generate_certificate_request, import_certificate, export_certificate, remove_certificate);
    }
    {
        using namespace image_transfer;
        every(spec, image_block_size, image_transferred_blocks_status,
              image_first_not_transferred_block_number, image_transfer_enabled, image_transfer_status,
              image_to_activate_info);
        calls(spec, image_transfer_initiate, image_block_transfer, image_verify, image_activate);
    }
}

TEST_CASE("classes: ports and networks keep their shape", "[cosem]") {
    {
        using namespace local_port_setup;
        every(spec, default_mode, default_baud, prop_baud, response_time, device_addr, pass_p1, pass_p2,
              pass_w5);
    }
    {
        using namespace hdlc_setup;
        every(spec, comm_speed, window_size_transmit, window_size_receive, max_info_field_length_transmit,
              max_info_field_length_receive, inter_octet_time_out, inactivity_time_out, device_address);
    }
    {
        using namespace auto_answer;
        every(spec_2, mode, listening_window, status, number_of_calls, number_of_rings,
              list_of_allowed_callers);
    }
    {
        using namespace auto_connect;
        every(spec_2, mode, repetitions, repetition_delay, calling_window, destination_list);
        calls(spec_2, auto_connect::connect);
    }
    {
        using namespace push_setup;
        every(spec_0, push_object_list, send_destination_and_method, communication_window,
              randomisation_start_interval, number_of_retries, repetition_delay);
        every(spec_1, push_object_list_1, send_destination_and_method, communication_window,
              randomisation_start_interval, number_of_retries, repetition_delay, port_reference,
              push_client_sap, push_protection_parameters);
        every(spec_2, push_object_list_2, send_destination_and_method, communication_window,
              randomisation_start_interval, number_of_retries, repetition_delay_2, port_reference,
              push_client_sap, push_protection_parameters, push_operation_method, confirmation_parameters,
              last_confirmation_date_time);
        calls(spec_2, push, reset);
    }
    {
        using namespace tcp_udp_setup;
        every(spec, tcp_udp_port, ip_reference, mss, nb_of_sim_conn, inactivity_time_out);
    }
    {
        using namespace ipv4_setup;
        every(spec, dl_reference, ip_address, multicast_ip_address, ip_options, subnet_mask,
              gateway_ip_address, use_dhcp_flag, primary_dns_address, secondary_dns_address);
        calls(spec, add_mc_ip_address, delete_mc_ip_address, get_nbof_mc_ip_addresses);
    }
    every(gprs_modem_setup::spec, gprs_modem_setup::apn, gprs_modem_setup::pin_code,
          gprs_modem_setup::quality_of_service);
    {
        using namespace gsm_diagnostic;
        every(spec_0, operator_, status, cs_attachment, ps_status, cell_info_0, adjacent_cells_0,
              capture_time);
        every(spec_1, operator_, status, cs_attachment, ps_status, cell_info, adjacent_cells, capture_time);
    }
}

TEST_CASE("classes: what acts on the supply keeps its shape", "[cosem]") {
    every(register_monitor::spec, register_monitor::thresholds, register_monitor::monitored_value,
          register_monitor::actions);
    {
        using namespace arbitrator;
        every(spec, actions, permissions_table, weightings_table, most_recent_requests_table, last_outcome);
        calls(spec, request_action, reset);
    }
    {
        using namespace disconnect_control;
        every(spec, output_state, control_state, control_mode);
        calls(spec, remote_disconnect, remote_reconnect);
    }
    {
        using namespace limiter;
        every(spec, monitored_value, threshold_active, threshold_normal, threshold_emergency,
              min_over_threshold_duration, min_under_threshold_duration, emergency_profile,
              emergency_profile_group_id_list, emergency_profile_active, actions);
    }
    {
        using namespace mbus_client;
        every(spec_1, mbus_port_reference, capture_definition, capture_period, primary_address,
              identification_number, manufacturer_id, version, device_type, access_number, status,
              mbus_client::alarm, configuration, encryption_key_status);
        calls(spec_1, slave_install, slave_deinstall, capture, reset_alarm, synchronize_clock, data_send,
              set_encryption_key, transfer_key);
    }
}

TEST_CASE("classes: payment keeps its shape", "[cosem]") {
    {
        using namespace account;
        every(spec, account_mode_and_status, current_credit_in_use, current_credit_status, available_credit,
              amount_to_clear, clearance_threshold, aggregated_debt, credit_reference_list,
              charge_reference_list, credit_charge_configuration, token_gateway_configuration,
              account_activation_time, account_closure_time, currency, low_credit_threshold,
              next_credit_available_threshold, max_provision, max_provision_period);
        calls(spec, activate_account, close_account, reset_account);
    }
    {
        using namespace credit;
        every(spec, current_credit_amount, credit_type, priority, warning_threshold, limit,
              credit_configuration, credit_status, preset_credit_amount, credit_available_threshold, period);
        calls(spec, update_amount, set_amount_to_value, invoke_credit);
    }
    {
        using namespace charge;
        every(spec, total_amount_paid, charge_type, priority, unit_charge_active, unit_charge_passive,
              unit_charge_activation_time, period, charge_configuration, last_collection_time,
              last_collection_amount, total_amount_remaining, proportion);
        calls(spec, update_unit_charge, activate_passive_unit_charge, collect, update_total_amount_remaining,
              set_total_amount_remaining);
    }
    {
        using namespace token_gateway;
        every(spec, token, token_time, token_description, token_delivery_method, token_status);
        calls(spec, enter);
    }
    {
        using namespace iec_62055_41_attributes;
        every(spec, meter_pan, commodity, token_carrier_types, encryption_algorithm, supply_group_code,
              tariff_index, key_revision_number, key_type, key_expiry_number, no_of_kct_supported,
              sts_certificate_no);
    }
}

TEST_CASE("classes: captured and published values are understood", "[cosem]") {
    // dlms fact sheet 4, I-GETR: capture_objects of a Gurux server
    const auto columns = profile_generic::capture_objects.read(
        from("0102020412000809060000010000FF0F02120000020412000309060101151900FF0F02120000"));
    REQUIRE(columns);
    REQUIRE(columns->size() == 2);
    CHECK((*columns)[0] == dlms::CaptureObject{8, obis::clock, 2, 0});
    CHECK((*columns)[1] == dlms::CaptureObject{3, ObisCode{{1, 1, 21, 25, 0, 255}}, 2, 0});

    // DN-2: scaler and unit of an Aidon meter, watts
    const auto scale = register_::scaler_unit.read(from("02020F00161B"));
    REQUIRE(scale);
    CHECK(*scale == ScalerUnit{0, Unit::watt});

    // PUSH-W: push_object_list of version 0
    const auto pushed =
        push_setup::push_object_list.read(from("01030204120028090600071900"
                                               "09FF0F02120000020412000109060000"
                                               "2A0000FF0F02120000020412002A09060000190100FF0F03120000"));
    REQUIRE(pushed);
    CHECK((*pushed)[1] == dlms::CaptureObject{1, obis::logical_device_name, 2, 0});

    // GETR-1c: the time of a clock, deviation not specified
    const auto time = clock::time.read(from("090C07EA0B160700101000800000"));
    REQUIRE(time);
    CHECK(dlms::decode_date_time(time->octets)->at ==
          Instant{std::chrono::sys_days{std::chrono::year{2026} / 11 / 22} +
                  std::chrono::seconds{16 * 60 + 16}});
}

TEST_CASE("classes: requests are the published ones", "[cosem]") {
    // ACT-DISC: remote_disconnect with integer(0); GET-1: clock, attribute 2
    const auto call = disconnect_control::remote_disconnect(obis::disconnect_control);
    CHECK(call.id == dlms::MethodId{70, obis::disconnect_control, 1});
    CHECK(dlms::encode_data(*call.argument) == Buffer{0x0F, 0x00});
    CHECK(clock::time.of(obis::clock) == dlms::AttributeId{8, obis::clock, 2});
}

TEST_CASE("classes: what meters get wrong is taken where nothing is lost", "[cosem]") {
    CHECK(*clock::time_zone.read(dlms::Data{std::int32_t{-60}}) == -60);
    CHECK(clock::time_zone.read(dlms::Data{std::int32_t{70'000}}).error().fault == Fault::bad_value);
    CHECK(*disconnect_control::output_state.read(dlms::Data{std::uint8_t{1}}));
    CHECK(clock::time.read(dlms::Data{dlms::RawDateTime{}}));
    CHECK(clock::time.read(dlms::octet_string(Buffer(5, 0))).error().fault == Fault::bad_value);
    CHECK(*iec_62055_41_attributes::commodity.read(dlms::octet_string(as_bytes("GAS"))) == "GAS");
    // an object list of version 0 says methods by boolean and selectors by null-data
    const auto list = association_ln::object_list.read(dlms::array({dlms::structure(
        {std::uint16_t{70}, std::uint8_t{0}, dlms::octet_string(obis::disconnect_control),
         dlms::structure({dlms::array({dlms::structure({std::int8_t{1}, dlms::Enum{1}, dlms::Data{}})}),
                          dlms::array({dlms::structure({std::int8_t{1}, true})})})})}));
    REQUIRE(list);
    CHECK((*list)[0].access_rights.method_access[0] == association_ln::MethodAccess{1, 1});
    CHECK(to_string(association_ln::object_list
                        .read(dlms::array({dlms::structure(
                            {std::uint16_t{70}, std::uint8_t{0}, dlms::octet_string(obis::disconnect_control),
                             dlms::structure({dlms::array({dlms::Data{}}), dlms::array({})})})}))
                        .error()) == "association_ln.object_list[1][4][1][1]: bad_tag");
}

TEST_CASE("single action schedule: a date-time is date and time", "[cosem]") {
    const auto at = raw(
        {.at = Instant{std::chrono::sys_days{std::chrono::year{2026} / 11 / 22} + std::chrono::hours{3}}});
    const auto execution = single_action_schedule::execution_at(at);
    CHECK(execution.date.octets == std::array<std::uint8_t, 5>{0x07, 0xEA, 11, 22, 7});
    CHECK(execution.time.octets == std::array<std::uint8_t, 4>{3, 0, 0, 0});
}
