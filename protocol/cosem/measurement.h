#pragma once
#include "protocol/cosem/parts.h"

/// Data, Register, Extended register and Demand register. Source: Blue Book ed. 14, 4.3.1 to 4.3.4.
namespace wattmesh::cosem {

/// Data, class 1: a value without unit.
namespace data {
inline constexpr ClassName owner{1, "data"};
inline constexpr Attribute<dlms::Data> value{owner, 2, "value", Change::dynamic, any_types};

inline constexpr AttributeSpec attributes[]{logical_name, value};
inline constexpr ClassSpec spec{owner.id, 0, owner.name, attributes, {}};
}  // namespace data

/// Register, class 3.
namespace register_ {
inline constexpr ClassName owner{3, "register"};
inline constexpr Attribute<dlms::Data> value{owner, 2, "value", Change::dynamic, quantity_types};
inline constexpr Attribute<ScalerUnit> scaler_unit{owner, 3, "scaler_unit", Change::fixed};
inline constexpr Method<> reset{owner, 1, "reset", Need::optional};

inline constexpr AttributeSpec attributes[]{logical_name, value, scaler_unit};
inline constexpr MethodSpec methods[]{reset};
inline constexpr ClassSpec spec{owner.id, 0, owner.name, attributes, methods};
}  // namespace register_

/// Extended register, class 4: a register with status and the time of its capture.
namespace extended_register {
inline constexpr ClassName owner{4, "extended_register"};
inline constexpr Attribute<dlms::Data> value{owner, 2, "value", Change::dynamic, quantity_types};
inline constexpr Attribute<ScalerUnit> scaler_unit{owner, 3, "scaler_unit", Change::fixed};
inline constexpr Attribute<dlms::Data> status{owner, 4, "status", Change::dynamic, quantity_types};
inline constexpr Attribute<dlms::RawDateTime> capture_time{owner, 5, "capture_time", Change::dynamic};
inline constexpr Method<> reset{owner, 1, "reset", Need::optional};

inline constexpr AttributeSpec attributes[]{logical_name, value, scaler_unit, status, capture_time};
inline constexpr MethodSpec methods[]{reset};
inline constexpr ClassSpec spec{owner.id, 0, owner.name, attributes, methods};
}  // namespace extended_register

/// Demand register, class 5: an average over periods that may slide.
namespace demand_register {
inline constexpr ClassName owner{5, "demand_register"};
inline constexpr Attribute<dlms::Data> current_average_value{owner, 2, "current_average_value",
                                                             Change::dynamic, quantity_types};
inline constexpr Attribute<dlms::Data> last_average_value{owner, 3, "last_average_value", Change::dynamic,
                                                          quantity_types};
inline constexpr Attribute<ScalerUnit> scaler_unit{owner, 4, "scaler_unit", Change::fixed};
inline constexpr Attribute<dlms::Data> status{owner, 5, "status", Change::dynamic, quantity_types};
inline constexpr Attribute<dlms::RawDateTime> capture_time{owner, 6, "capture_time", Change::dynamic};
inline constexpr Attribute<dlms::RawDateTime> start_time_current{owner, 7, "start_time_current",
                                                                 Change::dynamic};
/// Seconds.
inline constexpr Attribute<std::uint32_t> period{owner, 8, "period", Change::fixed};
inline constexpr Attribute<std::uint16_t> number_of_periods{owner, 9, "number_of_periods", Change::fixed};
inline constexpr Method<> reset{owner, 1, "reset", Need::optional};
inline constexpr Method<> next_period{owner, 2, "next_period", Need::optional};

inline constexpr AttributeSpec attributes[]{
    logical_name,     current_average_value, last_average_value, scaler_unit,
    status,           capture_time,          start_time_current, period,
    number_of_periods};
inline constexpr MethodSpec methods[]{reset, next_period};
inline constexpr ClassSpec spec{owner.id, 0, owner.name, attributes, methods};
}  // namespace demand_register

}  // namespace wattmesh::cosem
