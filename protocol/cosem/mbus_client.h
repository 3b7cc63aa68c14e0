#pragma once
#include "protocol/cosem/parts.h"

/// M-Bus client, class 72: a gas, water or heat meter behind this one. Source: Blue Book ed. 14, 4.8.3.
namespace wattmesh::cosem::mbus_client {

struct CaptureDefinition {
    Buffer data_information_block, value_information_block;
    friend bool operator==(const CaptureDefinition&, const CaptureDefinition&) = default;
    static constexpr auto members() {
        return std::tuple{&CaptureDefinition::data_information_block,
                          &CaptureDefinition::value_information_block};
    }
};
enum class KeyStatus : std::uint8_t {
    no_encryption_key = 0,
    encryption_key_set = 1,
    encryption_key_transferred = 2,
    encryption_key_set_and_transferred = 3,
    encryption_key_in_use = 4,
};
constexpr KeyStatus last_of(KeyStatus) { return KeyStatus::encryption_key_in_use; }

inline constexpr ClassName owner{72, "mbus_client"};
inline constexpr Attribute<ObisCode> mbus_port_reference{owner, 2, "mbus_port_reference", Change::fixed};
inline constexpr Attribute<std::vector<CaptureDefinition>> capture_definition{owner, 3, "capture_definition",
                                                                              Change::fixed};
/// Seconds.
inline constexpr Attribute<std::uint32_t> capture_period{owner, 4, "capture_period", Change::fixed};
/// 0: not installed.
inline constexpr Attribute<std::uint8_t> primary_address{owner, 5, "primary_address", Change::dynamic};
inline constexpr Attribute<std::uint32_t> identification_number{owner, 6, "identification_number",
                                                                Change::dynamic};
/// Three letters of 5 bits (EN 13757-3, 5.5).
inline constexpr Attribute<std::uint16_t> manufacturer_id{owner, 7, "manufacturer_id", Change::dynamic};
inline constexpr Attribute<std::uint8_t> version{owner, 8, "version", Change::dynamic};
/// EN 13757-3, 5.7: 3 gas, 4 heat, 7 water.
inline constexpr Attribute<std::uint8_t> device_type{owner, 9, "device_type", Change::dynamic};
inline constexpr Attribute<std::uint8_t> access_number{owner, 10, "access_number", Change::dynamic};
inline constexpr Attribute<std::uint8_t> status{owner, 11, "status", Change::dynamic};
inline constexpr Attribute<std::uint8_t> alarm{owner, 12, "alarm", Change::dynamic};
inline constexpr Attribute<std::uint16_t> configuration{owner, 13, "configuration", Change::dynamic};
inline constexpr Attribute<KeyStatus> encryption_key_status{owner, 14, "encryption_key_status",
                                                            Change::dynamic};
inline constexpr Method<std::uint8_t> slave_install{owner, 1, "slave_install", Need::optional};
inline constexpr Method<> slave_deinstall{owner, 2, "slave_deinstall", Need::optional};
inline constexpr Method<> capture{owner, 3, "capture", Need::optional};
inline constexpr Method<> reset_alarm{owner, 4, "reset_alarm", Need::optional};
inline constexpr Method<> synchronize_clock{owner, 5, "synchronize_clock", Need::optional};
/// Data to send to the slave, as [M] an array of structures that this table does not look into.
inline constexpr Method<std::vector<dlms::Data>> data_send{owner, 6, "data_send", Need::optional};
inline constexpr Method<Buffer> set_encryption_key{owner, 7, "set_encryption_key", Need::optional};
inline constexpr Method<Buffer> transfer_key{owner, 8, "transfer_key", Need::optional};

inline constexpr AttributeSpec attributes[]{logical_name,
                                            mbus_port_reference,
                                            capture_definition,
                                            capture_period,
                                            primary_address,
                                            identification_number,
                                            manufacturer_id,
                                            version,
                                            device_type,
                                            access_number,
                                            status,
                                            alarm,
                                            configuration,
                                            encryption_key_status};
inline constexpr MethodSpec methods[]{slave_install,      slave_deinstall,   capture,
                                      reset_alarm,        synchronize_clock, data_send,
                                      set_encryption_key, transfer_key};
inline constexpr ClassSpec spec_0{owner.id, 0, owner.name, std::span{attributes}.first(12), methods};
inline constexpr ClassSpec spec_1{owner.id, 1, owner.name, attributes, methods};

}  // namespace wattmesh::cosem::mbus_client
