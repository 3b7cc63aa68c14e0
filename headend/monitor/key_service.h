#pragma once
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <variant>

#include "headend/monitor/role_rules.h"
#include "protocol/base/id.h"
#include "protocol/dlms/counter_recovery.h"
#include "protocol/dlms/hls.h"
#include "protocol/dlms/protection.h"

namespace wattmesh::headend::monitor {

/// System title of this head-end's key service: manufacturer WMT, "HE001".
inline constexpr SystemTitle own_title{{'W', 'M', 'T', 'H', 'E', '0', '0', '1'}};

/// Who wants to talk with which meter, and for what.
struct KeyRequest {
    DeviceNumber meter;
    Role role = Role::reading;
    std::string actor;     ///< for the audit log
    int disconnects = 0;   ///< how many operations that can open the breaker are wanted (role_rules.h)
    bool unasked = false;  ///< to open what the meter sent by itself, perhaps before answers that were opened
};

/// Where a meter is, and a protection for one association of the management client with it.
struct GuardedAccess {
    DeviceNumber concentrator;
    SystemTitle own_title, meter_title;
    /// Ciphers what the role may do and no more disconnects than were asked for; the rest it refuses and
    /// writes to the audit log. Lives as long as the key service.
    std::unique_ptr<dlms::Protection> protection;
    dlms::Mechanism mechanism = dlms::Mechanism::high_gmac;  ///< what the protection proves by
    /// Octets: what the association's form needs, or more where the meter's road carries more.
    std::uint16_t pdu_size_least = 0;
};
enum class KeyFault {
    unknown_meter,
    no_concentrator,
    no_key,
    no_certificate,
    unavailable,
    too_many_disconnects
};
std::string_view to_string(KeyFault fault);
using KeyAnswer = std::variant<GuardedAccess, KeyFault>;

/// The one place in the head-end that has meters' keys in clear, and only while it builds a protection:
/// nobody gets keys, everybody gets a protection that guards. It counts disconnects itself.
class KeyService {
public:
    virtual ~KeyService() = default;
    /// `done` comes later on the caller's thread, once.
    virtual void access(KeyRequest request, std::function<void(KeyAnswer)> done) = 0;
    /// The meter says that it accepted higher counters: the next access sends above them, never below what it
    /// would have sent anyway. Written to the audit log.
    virtual void raise(DeviceNumber meter, const dlms::CounterRaised& counter, const std::string& actor) = 0;
};

}  // namespace wattmesh::headend::monitor
