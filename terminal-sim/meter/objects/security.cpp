#include "protocol/cosem/security_setup.h"

#include "terminal-sim/meter/meter.h"
#include "terminal-sim/meter/objects/certificates.h"

namespace wattmesh::sim {

using namespace dlms;

namespace {

using namespace cosem::security_setup;

constexpr ObisCode reading_setup = object_name(0, 0, 43, 0, 1);

ReadOutcome read_security(const Meter& meter, const SimObject::Read& what) {
    switch (what.attribute) {
        case 2:
            return cosem::security_setup::security_policy.write(
                static_cast<Policy>(meter.settings().security_policy));
        case 3:
            return security_suite.write(static_cast<Suite>(meter.settings().security_suite));
        case 4:
            return client_system_title.write({});  // associations know theirs
        case 5:
            return server_system_title.write(to_buffer(system_title(meter.settings().number).octets));
        default:
            return certificates.write(certificates_of(meter));
    }
}

KeyOwner owner_of(const SimObject& setup) {
    return setup.name == reading_setup ? KeyOwner::reading : KeyOwner::management;
}

/// Policies get stronger only (Blue Book ed. 14, 4.4.7): no bit goes.
AccessResult activate(Meter& meter, const SimObject::Call& what) {
    const auto wanted = static_cast<std::uint8_t>(*what.argument.integer());
    const std::uint8_t present = meter.security_policy();
    if ((wanted & present) != present || (wanted & 0x03) != 0) return AccessResult::other_reason;
    meter.store(what.object.name, 2, Enum{wanted});
    return AccessResult::success;
}

ActionOutcome call(Meter& meter, const SimObject::Call& what) {
    if (what.method == security_activate.id) return {activate(meter, what), {}};
    if (what.method > key_agreement.id) return call_certificates(meter, what);
    // Keys never become deeds: whoever holds them keeps them.
    const auto& settings = meter.settings();
    if (what.method == key_transfer.id) {
        const bool replaced =
            settings.replace_keys && settings.replace_keys(owner_of(what.object), what.argument);
        return {replaced ? AccessResult::success : AccessResult::other_reason, {}};
    }
    auto answer = settings.agree_keys ? settings.agree_keys(owner_of(what.object), what.argument)
                                      : std::optional<Data>{};
    return {answer ? AccessResult::success : AccessResult::other_reason, std::move(answer)};
}

}  // namespace

void ObjectMaker::security(SimObjects& objects, const TableKey& key) {
    SimObject setup{.spec = &cosem::security_setup::spec_1,
                    .name = object_name(0, 0, 43, 0, 0),
                    .audience = for_management,
                    .read = read_security,
                    .methods = {1, 2, 3, 4, 5, 6, 7, 8},
                    .act = call,
                    .remembered = {1}};
    objects.push_back(setup);
    if (!key.over_radio) return;
    // Over radio the reading client comes ciphered too, under keys of its own.
    setup.name = reading_setup;
    objects.push_back(setup);
}

std::uint8_t Meter::security_policy() const {
    const auto stored = attribute(object_named(cosem::Quantity::security_setup), 2);
    const auto policy = stored ? stored->integer() : std::nullopt;
    return policy ? static_cast<std::uint8_t>(*policy) : settings_.security_policy;
}

}  // namespace wattmesh::sim
