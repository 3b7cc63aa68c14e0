#pragma once
#include <optional>
#include <vector>

#include "protocol/dlms/apdu.h"
#include "protocol/dlms/object.h"

namespace wattmesh::headend::monitor {

/// A register's value in a push.
struct PushedValue {
    ObisCode register_;
    std::int64_t value = 0;
    std::optional<int> scaler, unit;  ///< nothing: ask the register
    friend bool operator==(const PushedValue&, const PushedValue&) = default;
};

/// The Push setup that a notification's first element names (class 40, 0-b:25.9.e), if it does: its object
/// list says what the elements are. Source: Blue Book (DLMS UA 1000-1) ed. 14, 4.4.8.2.
std::optional<ObisCode> push_setup_of(const dlms::Data& body);
/// push_object_list as read; nothing where it is none. At most 64 objects.
std::optional<std::vector<dlms::CaptureObject>> push_objects(const dlms::Data& list);
/// Values of registers (classes 3 and 4, attribute 2), by the setup's object list.
std::vector<PushedValue> pushed_values(const dlms::Data& body,
                                       const std::vector<dlms::CaptureObject>& objects);
/// Values of a push that describes itself: structures {logical name, value, {scaler, unit}}, as Austrian and
/// other consumer pushes have them (uplink fact sheet 9.2).
std::vector<PushedValue> self_described_values(const dlms::Data& body);

}  // namespace wattmesh::headend::monitor
