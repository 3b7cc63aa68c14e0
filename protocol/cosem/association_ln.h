#pragma once
#include "protocol/cosem/parts.h"

/// Association LN, class 15, and SAP assignment, class 17. Source: Blue Book ed. 14, 4.4.4 and 4.4.5.
namespace wattmesh::cosem {

namespace association_ln {

/// One attribute in the object list. `access_mode`, versions 0 to 2: 0 none, 1 read, 2 write, 3 both, 4 to 6
/// the same authenticated; version 3: bit 0 read, 1 write, 2 authenticated request, 3 encrypted request,
/// 4 digitally signed request, 5 to 7 the same for the response.
struct AttributeAccess {
    std::int8_t attribute_id = 0;
    std::uint8_t access_mode = 0;
    std::vector<std::int8_t> access_selectors;  ///< empty travels as null-data
    friend bool operator==(const AttributeAccess&, const AttributeAccess&) = default;
    static std::optional<AttributeAccess> decode(const dlms::Data& data, Decoding& how);
    dlms::Data encode() const;
};
/// `access_mode`, version 0: boolean; 1 and 2: 0 none, 1 access, 2 authenticated; 3: bit 0 access, others as
/// for attributes.
struct MethodAccess {
    std::int8_t method_id = 0;
    std::uint8_t access_mode = 0;
    friend bool operator==(const MethodAccess&, const MethodAccess&) = default;
    static std::optional<MethodAccess> decode(const dlms::Data& data, Decoding& how);
    dlms::Data encode() const;
};
struct AccessRights {
    std::vector<AttributeAccess> attribute_access;
    std::vector<MethodAccess> method_access;
    friend bool operator==(const AccessRights&, const AccessRights&) = default;
    static constexpr auto members() {
        return std::tuple{&AccessRights::attribute_access, &AccessRights::method_access};
    }
};
/// object_list_element
struct ListedObject {
    std::uint16_t class_id = 0;
    std::uint8_t version = 0;
    ObisCode logical_name;
    AccessRights access_rights;
    friend bool operator==(const ListedObject&, const ListedObject&) = default;
    static constexpr auto members() {
        return std::tuple{&ListedObject::class_id, &ListedObject::version, &ListedObject::logical_name,
                          &ListedObject::access_rights};
    }
};
struct Partners {
    std::int8_t client_sap = 0;
    std::uint16_t server_sap = 0;
    friend bool operator==(const Partners&, const Partners&) = default;
    static constexpr auto members() { return std::tuple{&Partners::client_sap, &Partners::server_sap}; }
};
struct XdlmsContext {
    dlms::BitString conformance;  ///< 24 bits
    std::uint16_t max_receive_pdu_size = 0, max_send_pdu_size = 0;
    std::uint8_t dlms_version_number = 6;
    std::int8_t quality_of_service = 0;
    Buffer cyphering_info;  ///< the dedicated key; servers show none
    friend bool operator==(const XdlmsContext&, const XdlmsContext&) = default;
    static constexpr auto members() {
        return std::tuple{&XdlmsContext::conformance,        &XdlmsContext::max_receive_pdu_size,
                          &XdlmsContext::max_send_pdu_size,  &XdlmsContext::dlms_version_number,
                          &XdlmsContext::quality_of_service, &XdlmsContext::cyphering_info};
    }
};
enum class Status : std::uint8_t { non_associated = 0, association_pending = 1, associated = 2 };
constexpr Status last_of(Status) { return Status::associated; }
struct User {
    std::uint8_t id = 0;
    std::string name;
    friend bool operator==(const User&, const User&) = default;
    static constexpr auto members() { return std::tuple{&User::id, &User::name}; }
};

inline constexpr ClassName owner{15, "association_ln"};
/// Both forms in which names of contexts and mechanisms travel: a structure of arcs, or their BER octets.
inline constexpr Types name_types{Type::structure, Type::octet_string};
inline constexpr Attribute<std::vector<ListedObject>> object_list{owner, 2, "object_list", Change::fixed};
inline constexpr Attribute<Partners> associated_partners_id{owner, 3, "associated_partners_id",
                                                            Change::fixed};
inline constexpr Attribute<dlms::Data> application_context_name{owner, 4, "application_context_name",
                                                                Change::fixed, name_types};
inline constexpr Attribute<XdlmsContext> xdlms_context_info{owner, 5, "xdlms_context_info", Change::fixed};
inline constexpr Attribute<dlms::Data> authentication_mechanism_name{
    owner, 6, "authentication_mechanism_name", Change::fixed, name_types};
/// LLS secret. Never readable.
inline constexpr Attribute<Buffer> secret{owner, 7, "secret", Change::fixed};
inline constexpr Attribute<Status> association_status{owner, 8, "association_status", Change::dynamic};
inline constexpr Attribute<ObisCode> security_setup_reference{owner, 9, "security_setup_reference",
                                                              Change::fixed};
inline constexpr Attribute<std::vector<User>> user_list{owner, 10, "user_list", Change::fixed};
inline constexpr Attribute<User> current_user{owner, 11, "current_user", Change::dynamic};
inline constexpr Method<Buffer> reply_to_hls_authentication{owner, 1, "reply_to_hls_authentication",
                                                            Need::optional};
inline constexpr Method<Buffer> change_hls_secret{owner, 2, "change_hls_secret", Need::optional};
inline constexpr Method<ListedObject> add_object{owner, 3, "add_object", Need::optional};
inline constexpr Method<ListedObject> remove_object{owner, 4, "remove_object", Need::optional};
inline constexpr Method<User> add_user{owner, 5, "add_user", Need::optional};
inline constexpr Method<User> remove_user{owner, 6, "remove_user", Need::optional};

inline constexpr AttributeSpec attributes[]{logical_name,
                                            object_list,
                                            associated_partners_id,
                                            application_context_name,
                                            xdlms_context_info,
                                            authentication_mechanism_name,
                                            secret,
                                            association_status,
                                            security_setup_reference,
                                            user_list,
                                            current_user};
inline constexpr MethodSpec methods[]{
    reply_to_hls_authentication, change_hls_secret, add_object, remove_object, add_user, remove_user};
inline constexpr ClassSpec spec_0{owner.id, 0, owner.name, std::span{attributes}.first(8),
                                  std::span{methods}.first(4)};
inline constexpr ClassSpec spec_1{owner.id, 1, owner.name, std::span{attributes}.first(9),
                                  std::span{methods}.first(4)};
inline constexpr ClassSpec spec_2{owner.id, 2, owner.name, attributes, methods};
inline constexpr ClassSpec spec_3{owner.id, 3, owner.name, attributes, methods};

}  // namespace association_ln

namespace sap_assignment {
struct LogicalDevice {
    std::uint16_t sap = 0;
    Buffer logical_device_name;  ///< at most 16 octets, the manufacturer's three letters first
    friend bool operator==(const LogicalDevice&, const LogicalDevice&) = default;
    static constexpr auto members() {
        return std::tuple{&LogicalDevice::sap, &LogicalDevice::logical_device_name};
    }
};
inline constexpr ClassName owner{17, "sap_assignment"};
inline constexpr Attribute<std::vector<LogicalDevice>> sap_assignment_list{owner, 2, "sap_assignment_list",
                                                                           Change::fixed};
inline constexpr Method<LogicalDevice> connect_logical_device{owner, 1, "connect_logical_device",
                                                              Need::optional};

inline constexpr AttributeSpec attributes[]{logical_name, sap_assignment_list};
inline constexpr MethodSpec methods[]{connect_logical_device};
inline constexpr ClassSpec spec{owner.id, 0, owner.name, attributes, methods};
}  // namespace sap_assignment

}  // namespace wattmesh::cosem
