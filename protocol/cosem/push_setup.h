#pragma once
#include "protocol/cosem/parts.h"

/// Push setup, class 40: what a meter sends by itself, where and when. Source: Blue Book ed. 14, 4.4.8;
/// version 2: ed. 15.
namespace wattmesh::cosem::push_setup {

enum class TransportService : std::uint8_t {
    tcp = 0,
    udp = 1,
    ftp = 2,
    smtp = 3,
    sms = 4,
    hdlc = 5,
    m_bus = 6,
    zigbee = 7,   ///< reserved
    gateway = 8,  ///< [M] ed. 15
};
enum class Message : std::uint8_t {
    a_xdr_encoded_xdlms_apdu = 0,
    xml_encoded_xdlms_apdu = 1,
};
struct Destination {
    TransportService transport_service{};
    Buffer destination;  ///< for TCP: text "host:port" or "[host]:port"
    Message message{};
    friend bool operator==(const Destination&, const Destination&) = default;
    static constexpr auto members() {
        return std::tuple{&Destination::transport_service, &Destination::destination, &Destination::message};
    }
};
/// push_object_definition of version 1: a column and a restriction of its rows.
enum class RestrictionType : std::uint8_t { none = 0, by_date = 1, by_entry = 2 };
constexpr RestrictionType last_of(RestrictionType) { return RestrictionType::by_entry; }
struct Restriction {
    RestrictionType restriction_type{};
    dlms::Data restriction_value;  ///< null-data, or {from, to}
    friend bool operator==(const Restriction&, const Restriction&) = default;
    static constexpr auto members() {
        return std::tuple{&Restriction::restriction_type, &Restriction::restriction_value};
    }
};
struct PushObject {
    std::uint16_t class_id = 0;
    ObisCode logical_name;
    std::int8_t attribute_index = 0;
    std::uint16_t data_index = 0;
    Restriction restriction;
    friend bool operator==(const PushObject&, const PushObject&) = default;
    static constexpr auto members() {
        return std::tuple{&PushObject::class_id, &PushObject::logical_name, &PushObject::attribute_index,
                          &PushObject::data_index, &PushObject::restriction};
    }
};
/// Version 2: with the columns of a profile.
struct PushObject2 {
    std::uint16_t class_id = 0;
    ObisCode logical_name;
    std::int8_t attribute_index = 0;
    std::uint16_t data_index = 0;
    Restriction restriction;
    std::vector<dlms::CaptureObject> columns;
    friend bool operator==(const PushObject2&, const PushObject2&) = default;
    static constexpr auto members() {
        return std::tuple{&PushObject2::class_id,   &PushObject2::logical_name, &PushObject2::attribute_index,
                          &PushObject2::data_index, &PushObject2::restriction,  &PushObject2::columns};
    }
};
/// Version 2: delay grows by exponent / 100 with each retry.
struct RepetitionDelay {
    std::uint16_t min = 0, exponent = 0, max = 0;  ///< seconds, hundredths, seconds
    friend bool operator==(const RepetitionDelay&, const RepetitionDelay&) = default;
    static constexpr auto members() {
        return std::tuple{&RepetitionDelay::min, &RepetitionDelay::exponent, &RepetitionDelay::max};
    }
};
enum class OperationMethod : std::uint8_t {
    unconfirmed_failure_only = 0,  ///< retry when the supporting layer fails
    unconfirmed_missing_confirmation = 1,
    confirmed = 2,
};
struct ConfirmationParameters {
    dlms::RawDateTime confirmation_start_date = unspecified_time;
    std::uint32_t confirmation_interval = 0;  ///< seconds
    friend bool operator==(const ConfirmationParameters&, const ConfirmationParameters&) = default;
    static constexpr auto members() {
        return std::tuple{&ConfirmationParameters::confirmation_start_date,
                          &ConfirmationParameters::confirmation_interval};
    }
};

inline constexpr ClassName owner{40, "push_setup"};
inline constexpr Attribute<std::vector<dlms::CaptureObject>> push_object_list{owner, 2, "push_object_list",
                                                                              Change::fixed};
inline constexpr Attribute<std::vector<PushObject>> push_object_list_1{owner, 2, "push_object_list",
                                                                       Change::fixed};
inline constexpr Attribute<std::vector<PushObject2>> push_object_list_2{owner, 2, "push_object_list",
                                                                        Change::fixed};
inline constexpr Attribute<Destination> send_destination_and_method{owner, 3, "send_destination_and_method",
                                                                    Change::fixed};
inline constexpr Attribute<std::vector<Window>> communication_window{owner, 4, "communication_window",
                                                                     Change::fixed};
/// Seconds.
inline constexpr Attribute<std::uint16_t> randomisation_start_interval{
    owner, 5, "randomisation_start_interval", Change::fixed};
inline constexpr Attribute<std::uint8_t> number_of_retries{owner, 6, "number_of_retries", Change::fixed};
/// Seconds.
inline constexpr Attribute<std::uint16_t> repetition_delay{owner, 7, "repetition_delay", Change::fixed};
inline constexpr Attribute<RepetitionDelay> repetition_delay_2{owner, 7, "repetition_delay", Change::fixed};
inline constexpr Attribute<ObisCode> port_reference{owner, 8, "port_reference", Change::fixed};
inline constexpr Attribute<std::int8_t> push_client_sap{owner, 9, "push_client_sap", Change::fixed};
/// As a tree: how each layer of protection is made.
inline constexpr Attribute<std::vector<dlms::Data>> push_protection_parameters{
    owner, 10, "push_protection_parameters", Change::fixed};
inline constexpr Attribute<OperationMethod> push_operation_method{owner, 11, "push_operation_method",
                                                                  Change::fixed};
inline constexpr Attribute<ConfirmationParameters> confirmation_parameters{
    owner, 12, "confirmation_parameters", Change::fixed};
inline constexpr Attribute<dlms::RawDateTime> last_confirmation_date_time{
    owner, 13, "last_confirmation_date_time", Change::dynamic};
inline constexpr Method<> push{owner, 1, "push", Need::mandatory};
inline constexpr Method<> reset{owner, 2, "reset", Need::optional};

inline constexpr AttributeSpec attributes_0[]{logical_name,
                                              push_object_list,
                                              send_destination_and_method,
                                              communication_window,
                                              randomisation_start_interval,
                                              number_of_retries,
                                              repetition_delay};
inline constexpr AttributeSpec attributes_1[]{logical_name,
                                              push_object_list_1,
                                              send_destination_and_method,
                                              communication_window,
                                              randomisation_start_interval,
                                              number_of_retries,
                                              repetition_delay,
                                              port_reference,
                                              push_client_sap,
                                              push_protection_parameters};
inline constexpr AttributeSpec attributes_2[]{logical_name,
                                              push_object_list_2,
                                              send_destination_and_method,
                                              communication_window,
                                              randomisation_start_interval,
                                              number_of_retries,
                                              repetition_delay_2,
                                              port_reference,
                                              push_client_sap,
                                              push_protection_parameters,
                                              push_operation_method,
                                              confirmation_parameters,
                                              last_confirmation_date_time};
inline constexpr MethodSpec methods[]{push, reset};
inline constexpr ClassSpec spec_0{owner.id, 0, owner.name, attributes_0, std::span{methods}.first(1)};
inline constexpr ClassSpec spec_1{owner.id, 1, owner.name, attributes_1, std::span{methods}.first(1)};
inline constexpr ClassSpec spec_2{owner.id, 2, owner.name, attributes_2, methods};

}  // namespace wattmesh::cosem::push_setup
