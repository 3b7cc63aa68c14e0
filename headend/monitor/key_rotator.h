#pragma once
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "headend/monitor/meter_errand.h"
#include "headend/monitor/on_demand.h"
#include "headend/monitor/rotation_order.h"
#include "protocol/dlms/key_rotation.h"

namespace wattmesh::headend::monitor {

/// The keys and counters of one meter on the thread that may wait for them, for one step of a rotation.
class RotationSeat {
public:
    virtual ~RotationSeat() = default;
    virtual dlms::KeyLedger& ledger() = 0;
    /// Of the management client, with as many values reserved as one errand takes. Outlives the rotation.
    virtual CounterStore& counters() = 0;
    /// A new encryption key is in force: `received` is the highest counter accepted under it. counters() are
    /// its from now on.
    virtual void encryption_replaced(std::uint32_t received) = 0;
    /// The meter refused a key of the order, for good.
    virtual void refused(dlms::KeyKind kind) = 0;

    DeviceNumber concentrator;
    SystemTitle own_title, meter_title;
    dlms::SecuritySettings security;  ///< suite, form and certificates of the meter's association
    std::uint16_t pdu_size_least = 0;
};

/// Port: where the steps of rotations are done. Their keys never leave it but inside protections.
class RotationDesk {
public:
    virtual ~RotationDesk() = default;
    using Work = std::function<void(RotationSeat&)>;
    /// Does `work` at most once, on any thread; then `done` on the caller's. `fault` is empty when the work
    /// came to its end, else unknown_meter, no_concentrator, no_key, no_certificate, no_master_key or
    /// unavailable.
    virtual void sit(const RotationOrder& order, Work work, std::function<void(std::string fault)> done) = 0;
    /// A protection refused to cipher something: for the audit log.
    virtual void refused(const RotationOrder& order, const std::string& why) = 0;
};

/// Why a rotation ended. Kinds that were replaced, or that the meter refused, are over whatever it says.
struct RotationResult {
    /// Empty: nothing is left to do. Else a stable word: that of the desk, offline, unreachable, no_answer,
    /// busy, denied (the meter lets nobody in with the current keys), lost (the meter has the old key still)
    /// or in_doubt (the meter has one of two keys, and both are kept). Doing the order again goes on.
    std::string trouble;
};

/// Replaces keys of the management client, meter by meter, over the road of reads on demand, which wait
/// meanwhile. Whatever is lost, and wherever the program stops, the ledger has the key that opens the meter,
/// and the same order done again first finds out which one that is. One thread.
class KeyRotator {
public:
    using Done = std::function<void(RotationResult)>;
    /// The references outlive this object, and this object all its rotations.
    KeyRotator(OnDemandSettings settings, RotationDesk& desk, KeyService& keys, OnDemand& on_demand,
               Carry carry, OnDemand::Now now, Ciphers& ciphers, Random& random);
    ~KeyRotator();
    /// After this long nothing more is begun: the order belongs to us for a time only.
    static constexpr Duration time_max = std::chrono::minutes{10};

    /// One order for a meter at a time.
    void rotate(RotationOrder order, Done done);
    std::size_t open() const { return runs_.size(); }

private:
    struct Run;
    struct Input;
    void step(const std::shared_ptr<Run>& run, const Input& input);
    void after_step(const std::shared_ptr<Run>& run, const std::string& fault);
    void on_errand(const std::shared_ptr<Run>& run, const ErrandResult& result);
    void rescue(const std::shared_ptr<Run>& run);
    void finish(const std::shared_ptr<Run>& run, std::string trouble);

    OnDemandSettings settings_;
    RotationDesk& desk_;
    KeyService& keys_;
    OnDemand& on_demand_;
    Carry carry_;
    OnDemand::Now now_;
    Ciphers& ciphers_;
    Random& random_;
    std::map<DeviceNumber, std::shared_ptr<Run>> runs_;
};

}  // namespace wattmesh::headend::monitor
