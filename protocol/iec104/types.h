#pragma once
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "protocol/base/time.h"

/// IEC 60870-5-104 (network access) and the application data of 60870-5-101 that it carries.
namespace wattmesh::iec104 {

/// Type identification of the ASDUs that we speak. Source: IEC 60870-5-101 ed. 2, 7.3; 104 ed. 2, 8
/// for 58..63.
enum class Type : std::uint8_t {
    single_point = 1,
    double_point = 3,
    bitstring = 7,
    normalized = 9,
    scaled = 11,
    short_float = 13,
    integrated_total = 15,
    single_point_time = 30,
    double_point_time = 31,
    bitstring_time = 33,
    normalized_time = 34,
    scaled_time = 35,
    short_float_time = 36,
    integrated_total_time = 37,
    single_command = 45,
    double_command = 46,
    float_setpoint = 50,
    single_command_time = 58,
    double_command_time = 59,
    float_setpoint_time = 63,
    end_of_initialisation = 70,
    interrogation = 100,
    counter_interrogation = 101,
    read = 102,
    clock_sync = 103,
    reset_process = 105,
    test_time = 107,
};

/// How a type's information object looks behind its address.
struct TypeForm {
    Type type{};
    std::string_view name;         ///< as the standard writes it, "M_SP_NA_1"
    std::size_t size = 0;          ///< octets without address, with time
    bool has_time = false;         ///< the last seven octets are a CP56Time2a
    bool may_be_sequence = false;  ///< SQ = 1 is allowed
    bool is_command = false;       ///< control direction: one object only
};
/// nullptr when we do not speak the type.
const TypeForm* form_of(std::uint8_t type);
/// M_ME_NC_1 -> M_ME_TF_1; nothing for a type without a form with CP56Time2a.
std::optional<Type> with_time(Type type);
/// C_SC_TA_1 -> C_SC_NA_1; a type without time stays what it is.
Type without_time(Type type);

/// Cause of transmission, six bits. Source: IEC 60870-5-101 ed. 2, 7.2.3.
enum class Cause : std::uint8_t {
    periodic = 1,
    background = 2,
    spontaneous = 3,
    initialised = 4,
    request = 5,
    activation = 6,
    activation_confirmation = 7,
    deactivation = 8,
    deactivation_confirmation = 9,
    activation_termination = 10,
    return_remote = 11,
    return_local = 12,
    station_interrogation = 20,  ///< 21..36: groups 1..16
    counter_interrogation = 37,  ///< 38..41: counter groups 1..4
    unknown_type = 44,
    unknown_cause = 45,
    unknown_common_address = 46,
    unknown_object_address = 47,
};
/// English words; "cause 13" where the standard leaves the number free comes as "?".
std::string_view to_string(Cause cause);

inline constexpr std::uint8_t whole_station = 20;  ///< qualifier of interrogation; 21..36 groups
inline constexpr std::uint8_t all_counters = 5;    ///< qualifier of counter interrogation; 1..4 groups
inline constexpr std::uint16_t broadcast = 65535;  ///< common address, control direction only
inline constexpr std::size_t asdu_size_max = 249, asdu_header_size = 6, address_size = 3;
inline constexpr std::uint32_t object_address_max = 0xFFFFFF;

/// Quality descriptor. `overflow` exists only with measured values (QDS). Source: 101 ed. 2, 7.2.6.1-7.2.6.3.
struct Quality {
    bool overflow = false;
    bool blocked = false;
    bool substituted = false;
    bool not_topical = false;
    bool invalid = false;
    bool operator==(const Quality&) const = default;
};

/// CP56Time2a: milliseconds, civil fields without a zone (we send UTC). Source: 101 ed. 2, 7.2.6.18.
struct Time56 {
    Instant at{};              ///< whole milliseconds on the wire
    bool invalid = false;      ///< the clock it was taken from is not synchronised
    bool substituted = false;  ///< GEN: not taken where the sample was taken
    bool summer = false;
    bool operator==(const Time56&) const = default;
};

}  // namespace wattmesh::iec104
