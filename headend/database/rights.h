#pragma once
#include <cstdint>
#include <optional>
#include <string_view>

namespace wattmesh::headend::database {

/// What a request does. A person needs a role that has the right, in the area of the thing.
enum class Right : std::uint8_t {
    look,         ///< see devices, readings, events
    read,         ///< make a meter be read, run reports
    relay,        ///< disconnect and reconnect
    configure,    ///< parameters, schedules, assets
    audit,        ///< the audit log
    accounts,     ///< other people's accounts and tokens
    vend,         ///< sell at the tills of the own vendor
    vend_manage,  ///< free issue, engineering tokens, key changes, reversals; at any till
};

enum class Role : std::uint8_t { viewer, operator_, engineer, auditor, administrator, vendor, supervisor };

std::string_view to_string(Role role);
std::optional<Role> parse_role(std::string_view word);
bool has(Role role, Right right);
/// "viewer, operator, engineer, auditor, administrator, vendor or supervisor", for messages.
std::string_view role_words();

}  // namespace wattmesh::headend::database
