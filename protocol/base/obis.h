#pragma once
#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace wattmesh {

/// OBIS code A-B:C.D.E*F (IEC 62056-61).
struct ObisCode {
    std::array<std::uint8_t, 6> groups{};
    friend auto operator<=>(const ObisCode&, const ObisCode&) = default;

    /// Reads "1-0:1.8.0*255", "1.0.1.8.0.255", "1-0:1.8.0" and the short "1.8.0" (A=1, B=0, F=255).
    static std::optional<ObisCode> parse(std::string_view text);
};
/// "1-0:1.8.0*255".
std::string to_string(const ObisCode& code);

namespace obis {
inline constexpr ObisCode active_import_total{{1, 0, 1, 8, 0, 255}};
inline constexpr ObisCode active_export_total{{1, 0, 2, 8, 0, 255}};
inline constexpr ObisCode reactive_import_total{{1, 0, 3, 8, 0, 255}};
inline constexpr ObisCode reactive_export_total{{1, 0, 4, 8, 0, 255}};
inline constexpr ObisCode clock{{0, 0, 1, 0, 0, 255}};
inline constexpr ObisCode logical_device_name{{0, 0, 42, 0, 0, 255}};
inline constexpr ObisCode current_association{{0, 0, 40, 0, 0, 255}};
inline constexpr ObisCode load_profile{{1, 0, 99, 1, 0, 255}};
inline constexpr ObisCode daily_profile{{1, 0, 98, 2, 0, 255}};
inline constexpr ObisCode event_log{{0, 0, 99, 98, 0, 255}};
inline constexpr ObisCode disconnect_control{{0, 0, 96, 3, 10, 255}};
inline constexpr ObisCode profile_status{{0, 0, 96, 10, 1, 255}};
}  // namespace obis

}  // namespace wattmesh
