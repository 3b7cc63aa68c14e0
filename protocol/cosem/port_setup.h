#pragma once
#include "protocol/cosem/parts.h"

/// IEC local port setup (class 19) and IEC HDLC setup (23). Source: Blue Book ed. 14, 4.7.1 and 4.7.2.
namespace wattmesh::cosem {

enum class Baud : std::uint8_t {
    baud_300 = 0,
    baud_600 = 1,
    baud_1200 = 2,
    baud_2400 = 3,
    baud_4800 = 4,
    baud_9600 = 5,
    baud_19200 = 6,
    baud_38400 = 7,
    baud_57600 = 8,
    baud_115200 = 9,
};
constexpr Baud last_of(Baud) { return Baud::baud_115200; }

namespace local_port_setup {
enum class Mode : std::uint8_t {
    iec_62056_21 = 0,  ///< modes A to E
    hdlc = 1,          ///< IEC 62056-46 directly
    not_specified = 2,
};
constexpr Mode last_of(Mode) { return Mode::not_specified; }
enum class ResponseTime : std::uint8_t { ms_20 = 0, ms_200 = 1 };
constexpr ResponseTime last_of(ResponseTime) { return ResponseTime::ms_200; }

inline constexpr ClassName owner{19, "iec_local_port_setup"};
inline constexpr Attribute<Mode> default_mode{owner, 2, "default_mode", Change::fixed};
inline constexpr Attribute<Baud> default_baud{owner, 3, "default_baud", Change::fixed};
inline constexpr Attribute<Baud> prop_baud{owner, 4, "prop_baud", Change::fixed};
inline constexpr Attribute<ResponseTime> response_time{owner, 5, "response_time", Change::fixed};
inline constexpr Attribute<Buffer> device_addr{owner, 6, "device_addr", Change::fixed};
inline constexpr Attribute<Buffer> pass_p1{owner, 7, "pass_p1", Change::fixed};
inline constexpr Attribute<Buffer> pass_p2{owner, 8, "pass_p2", Change::fixed};
inline constexpr Attribute<Buffer> pass_w5{owner, 9, "pass_w5", Change::fixed};

inline constexpr AttributeSpec attributes[]{logical_name, default_mode,  default_baud,
                                            prop_baud,    response_time, device_addr,
                                            pass_p1,      pass_p2,       pass_w5};
inline constexpr ClassSpec spec{owner.id, 1, owner.name, attributes, {}};
}  // namespace local_port_setup

namespace hdlc_setup {
inline constexpr ClassName owner{23, "iec_hdlc_setup"};
inline constexpr Attribute<Baud> comm_speed{owner, 2, "comm_speed", Change::fixed};
/// 1 to 7.
inline constexpr Attribute<std::uint8_t> window_size_transmit{owner, 3, "window_size_transmit",
                                                              Change::fixed};
inline constexpr Attribute<std::uint8_t> window_size_receive{owner, 4, "window_size_receive", Change::fixed};
/// Octets, 32 to 2030.
inline constexpr Attribute<std::uint16_t> max_info_field_length_transmit{
    owner, 5, "max_info_field_length_transmit", Change::fixed};
inline constexpr Attribute<std::uint16_t> max_info_field_length_receive{
    owner, 6, "max_info_field_length_receive", Change::fixed};
/// Milliseconds, 20 to 6000.
inline constexpr Attribute<std::uint16_t> inter_octet_time_out{owner, 7, "inter_octet_time_out",
                                                               Change::fixed};
/// Seconds; 0: never.
inline constexpr Attribute<std::uint16_t> inactivity_time_out{owner, 8, "inactivity_time_out", Change::fixed};
inline constexpr Attribute<std::uint16_t> device_address{owner, 9, "device_address", Change::fixed};

inline constexpr AttributeSpec attributes[]{logical_name,
                                            comm_speed,
                                            window_size_transmit,
                                            window_size_receive,
                                            max_info_field_length_transmit,
                                            max_info_field_length_receive,
                                            inter_octet_time_out,
                                            inactivity_time_out,
                                            device_address};
inline constexpr ClassSpec spec{owner.id, 1, owner.name, attributes, {}};
}  // namespace hdlc_setup

}  // namespace wattmesh::cosem
