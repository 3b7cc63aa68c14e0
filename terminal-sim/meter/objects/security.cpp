#include "protocol/cosem/security_setup.h"

#include "terminal-sim/meter/meter.h"

namespace wattmesh::sim {

using namespace dlms;

namespace {

using namespace cosem::security_setup;

/// Every APDU authenticated and encrypted, both ways: how the management client comes.
constexpr auto first_policy =
    static_cast<Policy>(policy_bit::authenticated_request | policy_bit::encrypted_request |
                        policy_bit::authenticated_response | policy_bit::encrypted_response);

ReadOutcome read_security(const Meter& meter, const SimObject::Read& what) {
    switch (what.attribute) {
        case 2:
            return security_policy.write(first_policy);
        case 3:
            return security_suite.write(Suite::suite_0);
        case 4:
            return client_system_title.write({});  // associations know theirs
        case 5:
            return server_system_title.write(to_buffer(system_title(meter.settings().number).octets));
        default:
            return certificates.write({});
    }
}

/// Policies get stronger only (Blue Book ed. 14, 4.4.7): no bit goes.
AccessResult activate(Meter& meter, const SimObject::Call& what) {
    const auto wanted = static_cast<std::uint8_t>(*what.argument.integer());
    const auto stored = meter.attribute(what.object.name, 2);
    const auto present = static_cast<std::uint8_t>(stored ? *stored->integer() : std::int64_t(first_policy));
    if ((wanted & present) != present || (wanted & 0x03) != 0) return AccessResult::other_reason;
    meter.store(what.object.name, 2, Enum{wanted});
    return AccessResult::success;
}

}  // namespace

void ObjectMaker::security(SimObjects& objects) {
    objects.push_back({.spec = &cosem::security_setup::spec_1,
                       .name = object_name(0, 0, 43, 0, 0),
                       .audience = for_management,
                       .read = read_security,
                       .methods = {1, 2},
                       .act = [](Meter& meter, const SimObject::Call& what) -> ActionOutcome {
                           if (what.method == 1) return {activate(meter, what), {}};
                           // Keys never become deeds: whoever holds them keeps them.
                           const auto keys = key_transfer.read(what.argument);
                           const auto& replace = meter.settings().replace_keys;
                           const bool replaced = replace && keys && !keys->empty() && replace(*keys);
                           return {replaced ? AccessResult::success : AccessResult::other_reason, {}};
                       },
                       .remembered = {1}});
}

}  // namespace wattmesh::sim
