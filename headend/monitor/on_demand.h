#pragma once
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "headend/monitor/counter_rescue.h"
#include "headend/monitor/key_service.h"
#include "protocol/base/cipher.h"
#include "protocol/dlms/client.h"

namespace wattmesh::headend::monitor {

/// What a read on demand brought.
struct OnDemandResult {
    /// Empty when it succeeded, else a stable word: unknown_meter, no_concentrator, no_key, no_certificate,
    /// unavailable, offline, unreachable, no_answer, busy, refused, not_authentic, malformed.
    std::string fault;
    dlms::Data value;                 ///< raw, as the meter gave it
    std::optional<int> scaler, unit;  ///< of registers
    Duration took{};                  ///< simulated time from request to answer
    bool ok() const { return fault.empty(); }
};

struct OnDemandSettings {
    std::uint16_t pdu_size_max = 200;  ///< over radio
};

/// Reads any attribute of any meter through the mesh, end to end: management client 1, HLS-GMAC, every APDU
/// ciphered by the key service in the role of a reader; the concentrator only carries it. One association for
/// each meter at a time, which serves what was asked for meanwhile and is then released. A meter that refuses
/// our counter is asked once, as public client, for the one it accepted last, and then tried once more. One
/// thread.
class OnDemand {
public:
    using Done = std::function<void(OnDemandResult)>;
    using Now = std::function<Instant()>;

    OnDemand(OnDemandSettings settings, KeyService& keys, Carry carry, Now now, Ciphers& ciphers,
             Random& random);
    ~OnDemand();

    /// Register values (classes 3 and 4, attribute 2) come with scaler and unit.
    void read(DeviceNumber meter, const dlms::AttributeId& id, Done done) {
        read(meter, id, {}, std::move(done));
    }
    /// The same, of a profile's buffer only what is selected.
    void read(DeviceNumber meter, const dlms::AttributeId& id, dlms::Selection selection, Done done);
    /// Asked first, of registers whole: true where the meter is read over a road that has nothing to do with
    /// DLMS; then `done` is called there.
    using Otherwise = std::function<bool(DeviceNumber meter, const dlms::AttributeId& id, const Done& done)>;
    void read_otherwise(Otherwise otherwise) { otherwise_ = std::move(otherwise); }
    std::size_t open() const;
    /// Somebody else talks with the meter: `granted` comes when no read is under way, at once or later, and
    /// from now on reads wait for release(). One after the other.
    void hold(DeviceNumber meter, std::function<void()> granted);
    void release(DeviceNumber meter);

private:
    struct Talk;
    struct Held;
    std::shared_ptr<Talk> talk_of(DeviceNumber meter);
    void ask_keys(const std::shared_ptr<Talk>& talk);
    void rescue(const std::shared_ptr<Talk>& talk);
    void start(const std::shared_ptr<Talk>& talk, GuardedAccess access);
    void pump(const std::shared_ptr<Talk>& talk);
    void on_outcome(const std::shared_ptr<Talk>& talk, const frontend::RelayOutcome& outcome);
    void take_events(const std::shared_ptr<Talk>& talk);
    void next_request(Talk& talk);
    void on_value(Talk& talk, const dlms::ReadOutcome& outcome);
    void finish(Talk& talk, OnDemandResult result);
    void fail_all(Talk& talk, const std::string& fault);

    OnDemandSettings settings_;
    KeyService& keys_;
    Carry carry_;
    Otherwise otherwise_;
    NoCounters no_counters_;
    Now now_;
    Ciphers& ciphers_;
    Random& random_;
    std::map<DeviceNumber, std::shared_ptr<Talk>> talks_;
    std::map<DeviceNumber, Held> held_;
};

}  // namespace wattmesh::headend::monitor
