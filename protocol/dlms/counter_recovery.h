#pragma once
#include <cstdint>
#include <optional>
#include <string_view>
#include <variant>

#include "protocol/base/cipher.h"
#include "protocol/base/id.h"
#include "protocol/dlms/client.h"

namespace wattmesh::dlms {

/// The counter that a meter has accepted last from `client`: 0.0.43.1.<client>.255, readable without a key
/// (Blue Book (DLMS UA 1000-1) ed. 14, 6.2.35).
AttributeId invocation_counter_of(Sap client);

/// The counter was raised: for the log and the audit.
struct CounterRaised {
    std::uint32_t accepted = 0;  ///< what the meter says
    std::uint32_t next = 0;      ///< what we send at least from now on
};
struct CounterRecoveryFailed {
    enum class Why : std::uint8_t { no_answer, refused, no_number, too_high };
    Why why = Why::no_answer;
};
std::string_view to_string(CounterRecoveryFailed::Why why);
using CounterRecoveryEvent = std::variant<CounterRaised, CounterRecoveryFailed>;

/// Finds the way back to a meter that has accepted higher counters than we remember: asks it as public
/// client, raises our counter to the value after, never downwards, and lets the owner try once more.
///
///   refusal --consider: recover--> asking --counter read--> raised --association--> fine
///                                         --none--> failed        --refusal--> consider: refused_again
///
/// One object per attempt to reach a meter. The answer is not authenticated, so it never lowers anything and
/// may not come near the end of the counter: whoever forges it costs us values, not a key. The owner carries
/// the APDUs of take_output() to the meter under the public client's SAP and its answers to receive(), and
/// calls abort() when it waited too long.
class CounterRecovery {
public:
    enum class Advice : std::uint8_t {
        unrelated,      ///< not about a counter: report it as it is
        recover,        ///< begin() and then associate once more
        refused_again,  ///< the counter was right: the keys are not, or the meter wants something else
    };
    /// Answers at or above this are not believed: 2^28 values stay for whatever happens next.
    static constexpr std::uint32_t accepted_limit = 0xF000'0000;

    /// `send`: the counters of the association that was refused. The references outlive this object.
    CounterRecovery(Sap client, CounterStore& send, Ciphers& ciphers, Random& random)
        : CounterRecovery(invocation_counter_of(client), send, ciphers, random) {}
    /// For models that keep the counter elsewhere or have quirks.
    CounterRecovery(const AttributeId& counter, CounterStore& send, Ciphers& ciphers, Random& random,
                    const Quirks& quirks = {});

    /// What to do about an event that ended an association attempt.
    Advice consider(const ClientEvent& event) const;
    void begin();
    std::optional<Buffer> take_output();
    void receive(Bytes apdu);
    void abort();
    /// Once, when it is over.
    std::optional<CounterRecoveryEvent> take_event();

private:
    struct Nothing final : CounterStore {
        std::optional<std::uint32_t> next() override { return std::nullopt; }
        bool accept(std::uint32_t) override { return false; }
        void raise(std::uint32_t) override {}
    };
    void follow();
    void finish(CounterRecoveryEvent event);

    AttributeId counter_;
    CounterStore& send_;
    Nothing nothing_;
    Client public_client_;
    bool begun_ = false, reported_ = false;
    std::optional<CounterRecoveryEvent> event_;
};

}  // namespace wattmesh::dlms
