#include "protocol/iec104/types.h"

#include <algorithm>
#include <array>

namespace wattmesh::iec104 {
namespace {

constexpr std::array forms{
    TypeForm{Type::single_point, "M_SP_NA_1", 1, false, true, false},
    TypeForm{Type::double_point, "M_DP_NA_1", 1, false, true, false},
    TypeForm{Type::bitstring, "M_BO_NA_1", 5, false, true, false},
    TypeForm{Type::normalized, "M_ME_NA_1", 3, false, true, false},
    TypeForm{Type::scaled, "M_ME_NB_1", 3, false, true, false},
    TypeForm{Type::short_float, "M_ME_NC_1", 5, false, true, false},
    TypeForm{Type::integrated_total, "M_IT_NA_1", 5, false, true, false},
    TypeForm{Type::single_point_time, "M_SP_TB_1", 8, true, false, false},
    TypeForm{Type::double_point_time, "M_DP_TB_1", 8, true, false, false},
    TypeForm{Type::bitstring_time, "M_BO_TB_1", 12, true, false, false},
    TypeForm{Type::normalized_time, "M_ME_TD_1", 10, true, false, false},
    TypeForm{Type::scaled_time, "M_ME_TE_1", 10, true, false, false},
    TypeForm{Type::short_float_time, "M_ME_TF_1", 12, true, false, false},
    TypeForm{Type::integrated_total_time, "M_IT_TB_1", 12, true, false, false},
    TypeForm{Type::single_command, "C_SC_NA_1", 1, false, false, true},
    TypeForm{Type::double_command, "C_DC_NA_1", 1, false, false, true},
    TypeForm{Type::float_setpoint, "C_SE_NC_1", 5, false, false, true},
    TypeForm{Type::single_command_time, "C_SC_TA_1", 8, true, false, true},
    TypeForm{Type::double_command_time, "C_DC_TA_1", 8, true, false, true},
    TypeForm{Type::float_setpoint_time, "C_SE_TC_1", 12, true, false, true},
    TypeForm{Type::end_of_initialisation, "M_EI_NA_1", 1, false, false, false},
    TypeForm{Type::interrogation, "C_IC_NA_1", 1, false, false, true},
    TypeForm{Type::counter_interrogation, "C_CI_NA_1", 1, false, false, true},
    TypeForm{Type::read, "C_RD_NA_1", 0, false, false, true},
    TypeForm{Type::clock_sync, "C_CS_NA_1", 7, true, false, true},
    TypeForm{Type::reset_process, "C_RP_NA_1", 1, false, false, true},
    TypeForm{Type::test_time, "C_TS_TA_1", 9, true, false, true},
};

struct Pair {
    Type plain{}, timed{};
};
constexpr std::array pairs{
    Pair{Type::single_point, Type::single_point_time},
    Pair{Type::double_point, Type::double_point_time},
    Pair{Type::bitstring, Type::bitstring_time},
    Pair{Type::normalized, Type::normalized_time},
    Pair{Type::scaled, Type::scaled_time},
    Pair{Type::short_float, Type::short_float_time},
    Pair{Type::integrated_total, Type::integrated_total_time},
    Pair{Type::single_command, Type::single_command_time},
    Pair{Type::double_command, Type::double_command_time},
    Pair{Type::float_setpoint, Type::float_setpoint_time},
};

}  // namespace

const TypeForm* form_of(std::uint8_t type) {
    static const auto table = [] {
        std::array<const TypeForm*, 256> by_number{};
        for (const auto& form : forms) by_number[static_cast<std::uint8_t>(form.type)] = &form;
        return by_number;
    }();
    return table[type];
}

std::optional<Type> with_time(Type type) {
    for (const auto& pair : pairs)
        if (pair.plain == type) return pair.timed;
    return std::nullopt;
}

Type without_time(Type type) {
    const auto found =
        std::find_if(pairs.begin(), pairs.end(), [type](const Pair& pair) { return pair.timed == type; });
    return found == pairs.end() ? type : found->plain;
}

std::string_view to_string(Cause cause) {
    switch (cause) {
        case Cause::periodic:
            return "periodic";
        case Cause::background:
            return "background scan";
        case Cause::spontaneous:
            return "spontaneous";
        case Cause::initialised:
            return "initialised";
        case Cause::request:
            return "requested";
        case Cause::activation:
            return "activation";
        case Cause::activation_confirmation:
            return "activation confirmation";
        case Cause::deactivation:
            return "deactivation";
        case Cause::deactivation_confirmation:
            return "deactivation confirmation";
        case Cause::activation_termination:
            return "activation termination";
        case Cause::return_remote:
            return "caused by a remote command";
        case Cause::return_local:
            return "caused by a local command";
        case Cause::station_interrogation:
            return "station interrogation";
        case Cause::counter_interrogation:
            return "counter interrogation";
        case Cause::unknown_type:
            return "unknown type";
        case Cause::unknown_cause:
            return "unknown cause";
        case Cause::unknown_common_address:
            return "unknown common address";
        case Cause::unknown_object_address:
            return "unknown object address";
    }
    const auto number = static_cast<std::uint8_t>(cause);
    if (number > 20 && number <= 36) return "group interrogation";
    if (number > 37 && number <= 41) return "counter group interrogation";
    return "?";
}

}  // namespace wattmesh::iec104
