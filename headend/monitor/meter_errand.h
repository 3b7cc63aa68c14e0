#pragma once
#include <memory>
#include <optional>
#include <string>

#include "headend/monitor/key_service.h"
#include "headend/monitor/meter_road.h"
#include "protocol/dlms/client.h"

namespace wattmesh::headend::monitor {

/// How an errand ended.
struct ErrandResult {
    enum class What : std::uint8_t {
        done,       ///< associated, and the method called
        refused,    ///< the meter refused the method, in an answer that opened
        lost,       ///< the method was sent, and nothing came back that opens
        denied,     ///< no association: what came back proves nothing
        unreached,  ///< the method was not sent: nothing came back
    } what{};
    std::string fault;                             ///< of `unreached`: offline, unreachable, no_answer, busy
    std::optional<dlms::ClientEvent> denial = {};  ///< of `denied`: what ended the attempt
    std::optional<dlms::Data> value = {};          ///< of `done`: what the method answered
};

/// One association of the management client with a meter, for one method or for its proof alone. One thread.
class MeterErrand : public std::enable_shared_from_this<MeterErrand> {
public:
    struct Call {
        dlms::MethodId method;
        dlms::Data argument;
    };
    using Done = std::function<void(ErrandResult)>;
    /// The references outlive this object.
    MeterErrand(DeviceNumber meter, const Carry& carry, Ciphers& ciphers, Random& random)
        : meter_(meter), carry_(carry), ciphers_(ciphers), random_(random) {}

    /// `release`: the association is ended in order; not where the method changes its keys. `done` comes
    /// once, unless this object goes before.
    void start(GuardedAccess access, std::uint16_t pdu_size_max, std::optional<Call> call, bool release,
               Done done);

private:
    void pump();
    void follow();
    void conclude(ErrandResult result);
    void end(ErrandResult result);

    DeviceNumber meter_, concentrator_;
    const Carry& carry_;
    Ciphers& ciphers_;
    Random& random_;
    NoCounters no_counters_;
    std::optional<dlms::Client> client_;
    std::optional<Call> call_;
    std::optional<ErrandResult> result_;  ///< while the association is released
    bool called_ = false, release_ = false;
    Done done_;
};

}  // namespace wattmesh::headend::monitor
