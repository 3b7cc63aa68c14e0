#include "headend/database/rights.h"

#include <array>

namespace wattmesh::headend::database {
namespace {

struct Row {
    Role role;
    std::string_view word;
    std::uint8_t rights;
};
constexpr std::uint8_t bit(Right right) {
    return static_cast<std::uint8_t>(1U << static_cast<unsigned>(right));
}
constexpr std::uint8_t operates = bit(Right::look) | bit(Right::read) | bit(Right::relay);
constexpr std::uint8_t sells = bit(Right::vend) | bit(Right::vend_manage);
constexpr std::array role_rows{
    Row{Role::viewer, "viewer", bit(Right::look)},
    Row{Role::operator_, "operator", operates},
    Row{Role::engineer, "engineer", operates | bit(Right::configure)},
    Row{Role::auditor, "auditor", bit(Right::look) | bit(Right::audit)},
    Row{Role::administrator, "administrator",
        operates | bit(Right::configure) | bit(Right::audit) | bit(Right::accounts) | sells},
    Row{Role::vendor, "vendor", bit(Right::vend)},
    Row{Role::supervisor, "supervisor", bit(Right::look) | sells},
};

}  // namespace

std::string_view to_string(Role role) { return role_rows[static_cast<std::size_t>(role)].word; }

std::optional<Role> parse_role(std::string_view word) {
    for (const auto& row : role_rows)
        if (row.word == word) return row.role;
    return std::nullopt;
}

bool has(Role role, Right right) {
    return (role_rows[static_cast<std::size_t>(role)].rights & bit(right)) != 0;
}

std::string_view role_words() {
    return "viewer, operator, engineer, auditor, administrator, vendor or supervisor";
}

}  // namespace wattmesh::headend::database
