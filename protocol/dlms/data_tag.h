#pragma once
#include <cstdint>

/// Tags of the Data CHOICE. Source: Green Book (DLMS UA 1000-2) ed. 10, 9.5; Blue Book ed. 14, 4.1.5.
namespace wattmesh::dlms::tag {

inline constexpr std::uint8_t null = 0x00;
inline constexpr std::uint8_t array = 0x01;
inline constexpr std::uint8_t structure = 0x02;
inline constexpr std::uint8_t boolean = 0x03;
inline constexpr std::uint8_t bit_string = 0x04;
inline constexpr std::uint8_t int32 = 0x05;
inline constexpr std::uint8_t uint32 = 0x06;
inline constexpr std::uint8_t octet_string = 0x09;
inline constexpr std::uint8_t visible_string = 0x0A;
inline constexpr std::uint8_t utf8_string = 0x0C;
inline constexpr std::uint8_t bcd = 0x0D;
inline constexpr std::uint8_t int8 = 0x0F;
inline constexpr std::uint8_t int16 = 0x10;
inline constexpr std::uint8_t uint8 = 0x11;
inline constexpr std::uint8_t uint16 = 0x12;
inline constexpr std::uint8_t compact_array = 0x13;
inline constexpr std::uint8_t int64 = 0x14;
inline constexpr std::uint8_t uint64 = 0x15;
inline constexpr std::uint8_t enumeration = 0x16;
inline constexpr std::uint8_t float32 = 0x17;
inline constexpr std::uint8_t float64 = 0x18;
inline constexpr std::uint8_t date_time = 0x19;
inline constexpr std::uint8_t date = 0x1A;
inline constexpr std::uint8_t time = 0x1B;
inline constexpr std::uint8_t delta_int8 = 0x1C;
inline constexpr std::uint8_t delta_int16 = 0x1D;
inline constexpr std::uint8_t delta_int32 = 0x1E;
inline constexpr std::uint8_t delta_uint8 = 0x1F;
inline constexpr std::uint8_t delta_uint16 = 0x20;
inline constexpr std::uint8_t delta_uint32 = 0x21;
inline constexpr std::uint8_t dont_care = 0xFF;

}  // namespace wattmesh::dlms::tag
