#pragma once
#include <functional>
#include <string>
#include <string_view>

#include "headend/frontend/relay.h"
#include "protocol/base/cipher.h"

namespace wattmesh::headend::monitor {

/// Carries one APDU of a client to a meter behind a concentrator (frontend::Core::relay).
using Carry = std::function<void(DeviceNumber concentrator, DeviceNumber meter, Sap client, Buffer apdu,
                                 frontend::Relay::Done done)>;

/// Why nothing came back: offline, unreachable, no_answer, busy.
std::string fault_of(frontend::RelayStatus status);
/// Faults of talks with a meter that time may cure, as long as nothing was sent.
bool passes(std::string_view fault);

/// A client's own counters, which a protection from outside leaves alone.
struct NoCounters final : CounterStore {
    std::optional<std::uint32_t> next() override { return std::nullopt; }
    bool accept(std::uint32_t) override { return false; }
    void raise(std::uint32_t) override {}
};

}  // namespace wattmesh::headend::monitor
