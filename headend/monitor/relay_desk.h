#pragma once
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "headend/monitor/meter_errand.h"
#include "headend/monitor/on_demand.h"
#include "protocol/cosem/monitors.h"

namespace wattmesh::headend::monitor {

enum class RelayVerb : std::uint8_t { disconnect, reconnect };
std::string_view to_string(RelayVerb verb);
std::optional<RelayVerb> parse_relay_verb(std::string_view word);

/// A meter's disconnector as it says itself. Source: Blue Book (DLMS UA 1000-1) ed. 14, 4.5.8.
struct RelayState {
    bool connected = false;
    cosem::disconnect_control::ControlState control{};
    cosem::disconnect_control::ControlMode mode{};
    bool operator==(const RelayState&) const = default;
};
/// Whether there is nothing to command. A disconnector whose mode asks for a hand at the meter is reconnected
/// when it is armed: that is all a command can do.
bool as_wanted(RelayVerb verb, const RelayState& state);
/// "connected", "disconnected", "ready for reconnection by hand".
std::string_view to_string(const RelayState& state);

struct RelayResult {
    /// Empty: the meter is as wanted, and said so after the command. Else a stable word. Nothing was sent:
    /// those of a read, always_connected, too_many_disconnects. Sent: refused, no_effect, not_verified.
    std::string fault;
    std::optional<RelayState> before, after;
    bool sent = false;  ///< false: the meter was as wanted before
};

/// The only place that calls a disconnector's methods: reads the state, calls what is needed, reads the state
/// again. Reads of the meter wait meanwhile. One thread.
class RelayDesk {
public:
    using Done = std::function<void(RelayResult)>;
    /// The references outlive this object.
    RelayDesk(KeyService& keys, OnDemand& on_demand, Carry carry, Ciphers& ciphers, Random& random)
        : keys_(keys), on_demand_(on_demand), carry_(std::move(carry)), ciphers_(ciphers), random_(random) {}

    /// `done` comes once, unless this object goes before.
    void run(DeviceNumber meter, RelayVerb verb, const std::string& actor, Done done);
    /// What the meter says of its disconnector now, or a stable word; nothing is sent. `done` as above.
    void look(DeviceNumber meter, std::function<void(std::string fault, std::optional<RelayState>)> done);

private:
    struct Run;
    void read_state(const std::shared_ptr<Run>& run,
                    std::function<void(std::string, std::optional<RelayState>)> done);
    void on_before(const std::shared_ptr<Run>& run, const RelayState& before);
    void command(const std::shared_ptr<Run>& run);
    void verify(const std::shared_ptr<Run>& run);

    KeyService& keys_;
    OnDemand& on_demand_;
    Carry carry_;
    Ciphers& ciphers_;
    Random& random_;
    std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace wattmesh::headend::monitor
