#pragma once
#include "protocol/cosem/parts.h"

/// Register monitor (class 21), Arbitrator (68), Disconnect control (70) and Limiter (71): what acts on the
/// supply. Source: Blue Book ed. 14, 4.5.6, 4.5.12, 4.5.8 and 4.5.9.
namespace wattmesh::cosem {

namespace register_monitor {
struct ActionSet {
    ActionItem action_up, action_down;
    friend bool operator==(const ActionSet&, const ActionSet&) = default;
    static constexpr auto members() { return std::tuple{&ActionSet::action_up, &ActionSet::action_down}; }
};
inline constexpr ClassName owner{21, "register_monitor"};
/// Each of the type of the monitored value.
inline constexpr Attribute<std::vector<dlms::Data>> thresholds{owner, 2, "thresholds", Change::fixed};
inline constexpr Attribute<ValueDefinition> monitored_value{owner, 3, "monitored_value", Change::fixed};
/// One for each threshold.
inline constexpr Attribute<std::vector<ActionSet>> actions{owner, 4, "actions", Change::fixed};

inline constexpr AttributeSpec attributes[]{logical_name, thresholds, monitored_value, actions};
inline constexpr ClassSpec spec{owner.id, 0, owner.name, attributes, {}};
}  // namespace register_monitor

namespace arbitrator {
/// Argument of request_action.
struct Request {
    std::uint8_t request_actor = 0;
    dlms::BitString request_action_list;  ///< one bit per action
    friend bool operator==(const Request&, const Request&) = default;
    static constexpr auto members() {
        return std::tuple{&Request::request_actor, &Request::request_action_list};
    }
};
inline constexpr ClassName owner{68, "arbitrator"};
inline constexpr Attribute<std::vector<ActionItem>> actions{owner, 2, "actions", Change::fixed};
/// Per actor one bit per action.
inline constexpr Attribute<std::vector<dlms::BitString>> permissions_table{owner, 3, "permissions_table",
                                                                           Change::fixed};
/// Per actor one weight per action.
inline constexpr Attribute<std::vector<std::vector<std::uint16_t>>> weightings_table{
    owner, 4, "weightings_table", Change::fixed};
inline constexpr Attribute<std::vector<dlms::BitString>> most_recent_requests_table{
    owner, 5, "most_recent_requests_table", Change::dynamic};
/// The action that won, from 1.
inline constexpr Attribute<std::uint8_t> last_outcome{owner, 6, "last_outcome", Change::dynamic};
inline constexpr Method<Request> request_action{owner, 1, "request_action", Need::mandatory};
inline constexpr Method<> reset{owner, 2, "reset", Need::optional};

inline constexpr AttributeSpec attributes[]{
    logical_name, actions, permissions_table, weightings_table, most_recent_requests_table, last_outcome};
inline constexpr MethodSpec methods[]{request_action, reset};
inline constexpr ClassSpec spec{owner.id, 0, owner.name, attributes, methods};
}  // namespace arbitrator

namespace disconnect_control {
enum class ControlState : std::uint8_t { disconnected = 0, connected = 1, ready_for_reconnection = 2 };
constexpr ControlState last_of(ControlState) { return ControlState::ready_for_reconnection; }
/// Which transitions exist. Remote disconnection is always direct; "by hand" means that a remote reconnection
/// leads to ready_for_reconnection and a hand at the meter closes. Local: by the meter itself, as a limiter.
enum class ControlMode : std::uint8_t {
    none = 0,    ///< always connected
    mode_1 = 1,  ///< off: remote, by hand, local; on: remote then by hand
    mode_2 = 2,  ///< off: remote, by hand, local; on: remote at once, or by hand
    mode_3 = 3,  ///< off: remote, local; on: remote then by hand
    mode_4 = 4,  ///< off: remote, local; on: remote at once, or by hand
    mode_5 = 5,  ///< as 1, and on locally
    mode_6 = 6,  ///< as 3, and on locally
};
constexpr ControlMode last_of(ControlMode) { return ControlMode::mode_6; }
/// Whether a remote reconnection closes at once.
constexpr bool reconnects_directly(ControlMode mode) {
    return mode == ControlMode::mode_2 || mode == ControlMode::mode_4;
}

inline constexpr ClassName owner{70, "disconnect_control"};
/// True: the supply is connected.
inline constexpr Attribute<bool> output_state{owner, 2, "output_state", Change::dynamic};
inline constexpr Attribute<ControlState> control_state{owner, 3, "control_state", Change::dynamic};
inline constexpr Attribute<ControlMode> control_mode{owner, 4, "control_mode", Change::fixed};
inline constexpr Method<> remote_disconnect{owner, 1, "remote_disconnect", Need::mandatory};
inline constexpr Method<> remote_reconnect{owner, 2, "remote_reconnect", Need::mandatory};

inline constexpr AttributeSpec attributes[]{logical_name, output_state, control_state, control_mode};
inline constexpr MethodSpec methods[]{remote_disconnect, remote_reconnect};
inline constexpr ClassSpec spec{owner.id, 0, owner.name, attributes, methods};
}  // namespace disconnect_control

namespace limiter {
struct EmergencyProfile {
    std::uint16_t emergency_profile_id = 0;
    dlms::RawDateTime emergency_activation_time = unspecified_time;
    std::uint32_t emergency_duration = 0;  ///< seconds
    friend bool operator==(const EmergencyProfile&, const EmergencyProfile&) = default;
    static constexpr auto members() {
        return std::tuple{&EmergencyProfile::emergency_profile_id,
                          &EmergencyProfile::emergency_activation_time,
                          &EmergencyProfile::emergency_duration};
    }
};
struct Actions {
    ActionItem action_over_threshold, action_under_threshold;
    friend bool operator==(const Actions&, const Actions&) = default;
    static constexpr auto members() {
        return std::tuple{&Actions::action_over_threshold, &Actions::action_under_threshold};
    }
};
inline constexpr ClassName owner{71, "limiter"};
inline constexpr Attribute<ValueDefinition> monitored_value{owner, 2, "monitored_value", Change::fixed};
/// Thresholds have the type of the monitored value.
inline constexpr Attribute<dlms::Data> threshold_active{owner, 3, "threshold_active", Change::dynamic,
                                                        quantity_types};
inline constexpr Attribute<dlms::Data> threshold_normal{owner, 4, "threshold_normal", Change::fixed,
                                                        quantity_types};
inline constexpr Attribute<dlms::Data> threshold_emergency{owner, 5, "threshold_emergency", Change::fixed,
                                                           quantity_types};
/// Seconds.
inline constexpr Attribute<std::uint32_t> min_over_threshold_duration{owner, 6, "min_over_threshold_duration",
                                                                      Change::fixed};
inline constexpr Attribute<std::uint32_t> min_under_threshold_duration{
    owner, 7, "min_under_threshold_duration", Change::fixed};
inline constexpr Attribute<EmergencyProfile> emergency_profile{owner, 8, "emergency_profile", Change::fixed};
inline constexpr Attribute<std::vector<std::uint16_t>> emergency_profile_group_id_list{
    owner, 9, "emergency_profile_group_id_list", Change::fixed};
inline constexpr Attribute<bool> emergency_profile_active{owner, 10, "emergency_profile_active",
                                                          Change::dynamic};
inline constexpr Attribute<Actions> actions{owner, 11, "actions", Change::fixed};

inline constexpr AttributeSpec attributes[]{logical_name,
                                            monitored_value,
                                            threshold_active,
                                            threshold_normal,
                                            threshold_emergency,
                                            min_over_threshold_duration,
                                            min_under_threshold_duration,
                                            emergency_profile,
                                            emergency_profile_group_id_list,
                                            emergency_profile_active,
                                            actions};
inline constexpr ClassSpec spec{owner.id, 0, owner.name, attributes, {}};
}  // namespace limiter

}  // namespace wattmesh::cosem
