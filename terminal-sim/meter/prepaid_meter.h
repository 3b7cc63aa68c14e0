#pragma once
#include <string>
#include <utility>
#include <vector>

#include "protocol/cosem/models/meter_model.h"
#include "protocol/sts/key_change.h"
#include "protocol/sts/meter_pan.h"
#include "protocol/sts/opening.h"
#include "terminal-sim/meter/tid_memory.h"

namespace wattmesh::sim {

/// What a prepayment meter is set up for. Balances are in Wh, or with a price in hundred-thousandths of the
/// currency.
struct PrepaidSettings {
    sts::MeterPan pan;
    sts::KeyAttributes key;
    sts::DecoderKey decoder_key;
    std::uint16_t manufacturer = 0;  ///< 0: test tokens of every make
    /// Hundred-thousandths per kWh: the meter takes money (0/4). Without it, units (0/0).
    std::optional<std::int64_t> price{};
    std::int64_t balance_max = 10'000'000, low_credit = 5'000, emergency = 3'000;
    std::int64_t balance = 0;  ///< that the installer left on it
    /// What closes the relay after it was open for want of credit.
    cosem::Reconnection reconnection = cosem::Reconnection::by_itself;
};

enum class Relay : std::uint8_t {
    closed,
    open,
    armed,    ///< open, and the button closes it
    waiting,  ///< open, and a command closes it
};
std::string_view to_string(Relay relay);

struct PrepaidEvent {
    enum class Kind : std::uint8_t {
        credit_added,
        credit_low,
        emergency_taken,
        relay_opened,
        relay_armed,
        relay_waiting,
        relay_closed,
        key_changed,
        locked_out,
    };
    Kind kind{};
    Instant at{};
    friend bool operator==(const PrepaidEvent&, const PrepaidEvent&) = default;
};

/// What the display answers to twenty digits.
struct TokenEntry {
    sts::Refusal refusal = sts::Refusal::none;
    std::optional<sts::Content> content;  ///< when its checksum held
    /// Of a key change: how many of how many sections are there. Complete is a new key.
    unsigned sections = 0, sections_wanted = 0;
    /// What a test token asked to see, by name.
    std::vector<std::pair<std::string, std::string>> shown;
};

/// What outlives a power cut; the owner keeps it.
struct PrepaidState {
    sts::KeyAttributes key;
    sts::DecoderKey decoder_key;
    TidMemory tids;
    std::int64_t balance = 0;
    std::int64_t price_rest = 0;  ///< thousandths that were used and not yet charged
    std::int64_t used = 0;        ///< Wh, ever
    std::optional<std::uint32_t> power_limit, phase_unbalance_limit;  ///< W
    Relay relay = Relay::open;
    bool emergency = false, tampered = false, overloaded = false, warned = false;
    unsigned wrong_entries = 0, key_changes = 0;
    Instant locked_until{};
};

/// A meter that sells by token: keypad, memory of identifiers, balance that the load counts down, relay.
/// Octets and instants in, answers and events out; no clock, no file. Source: IEC 62055-41, clause 7.
class PrepaidMeter {
public:
    /// The relay is closed when there is a balance to begin with.
    explicit PrepaidMeter(PrepaidSettings settings);
    /// Goes on after a power cut. Sections of a key change are lost.
    PrepaidMeter(PrepaidSettings settings, PrepaidState state);

    /// From the keypad or from a token gateway: the same rules.
    TokenEntry enter(std::string_view digits, Instant now);
    /// Energy that flowed since the last call, of not less than zero, within `elapsed`.
    void consume(std::int64_t wh, Duration elapsed, Instant now);
    /// The customer asks for emergency credit: once, below the warning, until credit has paid it back.
    bool take_emergency(Instant now);
    void press_button(Instant now);
    /// The head-end closes the relay; without credit it stays open.
    void command_closed(Instant now);
    /// Somebody opens the cover: the relay stays open until a token clears it.
    void tamper(Instant now);

    Relay relay() const { return state_.relay; }
    std::int64_t balance() const { return state_.balance; }
    /// Wh until the relay opens, at least; zero when it is open.
    std::int64_t energy_left() const;
    const PrepaidState& state() const { return state_; }
    const PrepaidSettings& settings() const { return settings_; }
    std::vector<PrepaidEvent> take_events() { return std::exchange(events_, {}); }

    static constexpr Duration key_change_window = std::chrono::minutes{10};
    static constexpr unsigned wrong_entries_free = 2;
    static constexpr Duration lock_out_first = std::chrono::seconds{10},
                              lock_out_longest = std::chrono::seconds{1280};

private:
    using Refusal = sts::Refusal;
    TokenEntry test(const sts::Token& token) const;
    void wrong(Instant now);
    Refusal take(const sts::Credit& credit, Instant now);
    Refusal take(const sts::CurrencyCredit& credit, Instant now);
    Refusal take(const sts::Management& management, Instant now);
    Refusal take_section(const sts::KeySection& section, TokenEntry& entry, Instant now);
    Refusal add(std::int64_t amount, Instant now);
    void change_key(const sts::NewKey& key, Instant now);
    bool supplies() const;
    void settle(Instant now);
    void tell(PrepaidEvent::Kind kind, Instant now) { events_.push_back({kind, now}); }
    sts::HeldKey held() const { return {state_.key, sts::BlockCipher{state_.decoder_key}}; }

    PrepaidSettings settings_;
    PrepaidState state_;
    std::vector<sts::KeySection> sections_;
    Instant sections_since_{};
    std::vector<PrepaidEvent> events_;
};

}  // namespace wattmesh::sim
