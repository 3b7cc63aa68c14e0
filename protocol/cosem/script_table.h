#pragma once
#include "protocol/cosem/parts.h"

/// Script table, class 9: what to write or call when a script is executed. Source: Blue Book ed. 14, 4.5.2.
namespace wattmesh::cosem::script_table {

enum class Service : std::uint8_t { none = 0, write_attribute = 1, execute_method = 2 };
constexpr Service last_of(Service) { return Service::execute_method; }

struct Action {
    Service service_id{};
    std::uint16_t class_id = 0;
    ObisCode logical_name;
    std::int8_t index = 0;  ///< attribute or method
    dlms::Data parameter;
    friend bool operator==(const Action&, const Action&) = default;
    static constexpr auto members() {
        return std::tuple{&Action::service_id, &Action::class_id, &Action::logical_name, &Action::index,
                          &Action::parameter};
    }
};
struct Script {
    std::uint16_t script_identifier = 0;  ///< from 1
    std::vector<Action> actions;
    friend bool operator==(const Script&, const Script&) = default;
    static constexpr auto members() { return std::tuple{&Script::script_identifier, &Script::actions}; }
};

inline constexpr ClassName owner{9, "script_table"};
inline constexpr Attribute<std::vector<Script>> scripts{owner, 2, "scripts", Change::fixed};
inline constexpr Method<std::uint16_t> execute{owner, 1, "execute", Need::mandatory};

inline constexpr AttributeSpec attributes[]{logical_name, scripts};
inline constexpr MethodSpec methods[]{execute};
inline constexpr ClassSpec spec{owner.id, 0, owner.name, attributes, methods};

}  // namespace wattmesh::cosem::script_table
