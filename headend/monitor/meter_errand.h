#pragma once
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "headend/monitor/key_service.h"
#include "headend/monitor/meter_road.h"
#include "protocol/dlms/client.h"

namespace wattmesh::headend::monitor {

/// Octets: what fits over radio.
inline constexpr std::uint16_t radio_pdu_size_max = 200;

/// How an errand ended.
struct ErrandResult {
    enum class What : std::uint8_t {
        done,       ///< associated, and every step taken, or a read held the rest back
        refused,    ///< the meter refused a step, in an answer that opened
        lost,       ///< a step that is no read was sent, and since then nothing came back that opens
        denied,     ///< no association: what came back proves nothing
        unreached,  ///< nothing was sent: nothing came back
    } what{};
    std::string fault;                             ///< of `unreached`: offline, unreachable, no_answer, busy
    std::optional<dlms::ClientEvent> denial = {};  ///< of `denied`: what ended the attempt
    std::optional<dlms::Data> value = {};          ///< of `done`: what the last method answered
    std::size_t taken = 0;                         ///< steps that the meter said it took
};

/// One association of the management client with a meter, for a few steps, one after the other until one is
/// refused, or for its proof alone. One thread.
class MeterErrand : public std::enable_shared_from_this<MeterErrand> {
public:
    struct Call {
        dlms::MethodId method;
        dlms::Data argument;
    };
    struct Write {
        dlms::AttributeId attribute;
        dlms::Data value;
    };
    /// Asks the meter what the next steps depend on, while nobody else talks with it.
    struct Read {
        dlms::AttributeId attribute;
        std::function<void()> asking;                 ///< the question goes out now
        std::function<bool(const dlms::Data&)> told;  ///< false: nothing more is done
    };
    using Step = std::variant<Call, Write, Read>;
    using Done = std::function<void(ErrandResult)>;
    /// The references outlive this object.
    MeterErrand(DeviceNumber meter, const Carry& carry, Ciphers& ciphers, Random& random)
        : meter_(meter), carry_(carry), ciphers_(ciphers), random_(random) {}

    /// `release`: the association is ended in order; not where the method changes its keys. `done` comes
    /// once, unless this object goes before.
    void start(GuardedAccess access, std::uint16_t pdu_size_max, std::vector<Step> steps, bool release,
               Done done);
    void start(GuardedAccess access, std::uint16_t pdu_size_max, std::optional<Call> call, bool release,
               Done done) {
        std::vector<Step> steps;
        if (call) steps.emplace_back(std::move(*call));
        start(std::move(access), pdu_size_max, std::move(steps), release, std::move(done));
    }

private:
    void pump();
    void follow();
    void next();
    void answered(dlms::AccessResult result, std::optional<dlms::Data> value);
    void told(const dlms::ReadOutcome& outcome);
    void conclude(ErrandResult result);
    void end(ErrandResult result);

    DeviceNumber meter_, concentrator_;
    const Carry& carry_;
    Ciphers& ciphers_;
    Random& random_;
    NoCounters no_counters_;
    std::optional<dlms::Client> client_;
    std::vector<Step> steps_;
    std::size_t taken_ = 0;
    std::optional<ErrandResult> result_;  ///< while the association is released
    bool sent_ = false, release_ = false;
    Done done_;
};

}  // namespace wattmesh::headend::monitor
