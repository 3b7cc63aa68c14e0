#include "headend/monitor/role_rules.h"

#include <algorithm>

namespace wattmesh::headend::monitor {
namespace {

constexpr std::uint16_t class_script_table = 9, class_schedule = 10, class_activity_calendar = 20,
                        class_association = 15, class_register_monitor = 21, class_single_action = 22,
                        class_arbitrator = 68, class_disconnect_control = 70, class_limiter = 71,
                        class_security_setup = 64, class_account = 111, class_credit = 112,
                        class_token_gateway = 115;
constexpr std::int8_t remote_disconnect = 1, request_action = 1, script_execute = 1, executed_script = 2,
                      key_transfer = 2, key_agreement = 3;

/// Logical names of every channel b.
bool is_named(const ObisCode& object, std::uint8_t c, std::uint8_t d, std::uint8_t e) {
    return object.groups[0] == 0 && object.groups[2] == c && object.groups[3] == d && object.groups[4] == e;
}
bool is_disconnector_script(const ObisCode& object) { return is_named(object, 10, 0, 106); }
bool is_disconnector_schedule(const ObisCode& object) { return is_named(object, 15, 0, 1); }
bool replaces_keys(const Operation& operation) {
    return operation.class_id == class_security_setup && operation.kind == OperationKind::execute &&
           (operation.member == key_transfer || operation.member == key_agreement);
}
bool is_disconnector(const ObisCode& object) { return is_named(object, 96, 3, 10); }

}  // namespace

std::string_view to_string(Role role) {
    switch (role) {
        case Role::reading:
            return "reading";
        case Role::vending:
            return "vending";
        case Role::management:
            return "management";
        case Role::rotation:
            return "rotation";
    }
    return "?";
}

bool may(Role role, const Operation& operation) {
    const Operation reply_to_hls{OperationKind::execute, class_association, obis::current_association, 1};
    if (operation == reply_to_hls) return true;
    switch (role) {
        case Role::reading:
            return operation.kind == OperationKind::read;
        case Role::vending:
            return operation.class_id == class_account || operation.class_id == class_credit ||
                   operation.class_id == class_token_gateway;
        case Role::management:
            return !replaces_keys(operation);
        case Role::rotation:
            return replaces_keys(operation) && operation.member == key_transfer;
    }
    return false;
}

bool can_disconnect(const Operation& operation) {
    if (operation.kind == OperationKind::read) return false;
    const bool writes = operation.kind == OperationKind::write;
    switch (operation.class_id) {
        case class_disconnect_control:
            return writes || operation.member == remote_disconnect;
        case class_limiter:
        case class_register_monitor:
            return writes;
        case class_arbitrator:
            return writes || operation.member == request_action;
        case class_script_table:
            return writes || (operation.member == script_execute && is_disconnector_script(operation.object));
        case class_single_action:
            return operation.member == executed_script || is_disconnector_schedule(operation.object);
        default:
            // A meter may have the disconnector under a class of its own.
            return is_disconnector(operation.object) && (writes || operation.member == remote_disconnect);
    }
}

bool carries_scripts(const Operation& operation) {
    return operation.kind != OperationKind::read &&
           (operation.class_id == class_schedule || operation.class_id == class_activity_calendar);
}

bool DisconnectorNames::in(Bytes octets) {
    constexpr std::size_t size = 6;
    Buffer text = std::move(tail_);
    text.insert(text.end(), octets.begin(), octets.end());
    bool found = false;
    for (std::size_t i = 0; i + size <= text.size(); ++i) {
        ObisCode name;
        std::copy_n(text.begin() + static_cast<std::ptrdiff_t>(i), size, name.groups.begin());
        found = found || ((is_disconnector(name) || is_disconnector_script(name)) && name.groups[5] == 0xFF);
    }
    tail_.assign(text.end() - static_cast<std::ptrdiff_t>(std::min(text.size(), size - 1)), text.end());
    return found;
}

}  // namespace wattmesh::headend::monitor
