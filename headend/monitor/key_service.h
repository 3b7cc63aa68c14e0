#pragma once
#include <functional>
#include <string_view>
#include <variant>

#include "protocol/base/id.h"
#include "protocol/dlms/security.h"

namespace wattmesh::headend::monitor {

/// Where a meter is and how the management client talks to it.
struct ManagementAccess {
    DeviceNumber concentrator;
    dlms::ClientKeys keys;
};
enum class KeyFault { unknown_meter, no_concentrator, no_key, unavailable };
std::string_view to_string(KeyFault fault);
using KeyAnswer = std::variant<ManagementAccess, KeyFault>;

/// Gives out the keys of the management client, which never leave the head-end. `done` comes later on the
/// caller's thread, once.
class KeyService {
public:
    virtual ~KeyService() = default;
    virtual void management(DeviceNumber meter, std::function<void(KeyAnswer)> done) = 0;
};

}  // namespace wattmesh::headend::monitor
