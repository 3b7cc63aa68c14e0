#pragma once
#include "protocol/cosem/parts.h"

/// Register activation, class 6: which tariff registers count now. Source: Blue Book ed. 14, 4.3.5.
namespace wattmesh::cosem::register_activation {

/// register_act_mask: the registers that are active under this mask, as positions in register_assignment.
struct Mask {
    Buffer mask_name;
    std::vector<std::uint8_t> index_list;  ///< from 1
    friend bool operator==(const Mask&, const Mask&) = default;
    static constexpr auto members() { return std::tuple{&Mask::mask_name, &Mask::index_list}; }
};

inline constexpr ClassName owner{6, "register_activation"};
inline constexpr Attribute<std::vector<ObjectDefinition>> register_assignment{owner, 2, "register_assignment",
                                                                              Change::fixed};
inline constexpr Attribute<std::vector<Mask>> mask_list{owner, 3, "mask_list", Change::fixed};
inline constexpr Attribute<Buffer> active_mask{owner, 4, "active_mask", Change::dynamic};
inline constexpr Method<ObjectDefinition> add_register{owner, 1, "add_register", Need::optional};
inline constexpr Method<Mask> add_mask{owner, 2, "add_mask", Need::optional};
inline constexpr Method<Buffer> delete_mask{owner, 3, "delete_mask", Need::optional};

inline constexpr AttributeSpec attributes[]{logical_name, register_assignment, mask_list, active_mask};
inline constexpr MethodSpec methods[]{add_register, add_mask, delete_mask};
inline constexpr ClassSpec spec{owner.id, 0, owner.name, attributes, methods};

}  // namespace wattmesh::cosem::register_activation
