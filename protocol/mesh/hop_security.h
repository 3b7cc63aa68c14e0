#pragma once
#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include "protocol/base/cipher.h"
#include "protocol/mesh/frame.h"

namespace wattmesh::mesh {

/// Highest counter and the 32 below it, per sender. One below it counts for a while only: a frame that was
/// sealed before another waits for its tries no longer than that, and one that comes later was recorded.
/// Bounded: the sender that was quiet longest makes room.
class ReplayTable {
public:
    explicit ReplayTable(std::size_t senders_max) : senders_max_(senders_max) {}
    enum class Verdict : std::uint8_t { fresh, repeated, too_old };
    /// What accept() would make of it; changes nothing.
    Verdict look(std::uint16_t sender, std::uint32_t counter, Instant now) const;
    void accept(std::uint16_t sender, std::uint32_t counter, Instant now);
    static constexpr Duration late_max{10'000'000};
    void clear() { rows_.clear(); }
    std::size_t size() const { return rows_.size(); }

private:
    struct Row {
        std::uint16_t sender = 0;
        std::uint32_t top = 0;
        std::uint32_t window = 0;  // bit i: top - i was seen
        std::uint64_t used = 0;
        Instant top_at{};
    };
    const Row* find(std::uint16_t sender) const;
    std::size_t senders_max_;
    std::uint64_t uses_ = 0;
    std::vector<Row> rows_;  // sorted by sender
};

/// Hop MIC-32 under a net key (AES-CMAC, first four octets) with a counter per sender and key. CMAC and not
/// GCM: a counter that repeats after a lost flash block costs one refused frame, not the key. Two keys are
/// known while one takes over from the other: frames are sent under the current one and heard under both.
class HopSecurity {
public:
    HopSecurity(Ciphers& ciphers, std::size_t senders_max)
        : ciphers_(ciphers), slots_{Slot{senders_max}, Slot{senders_max}} {}

    /// The only key from now on, and the current one. `id` is 1 or 2.
    void set_key(const Key128& key, std::uint32_t counter_next, std::uint8_t id = 1);
    /// Known beside the current one, whose id it must not have.
    void add_key(const Key128& key, std::uint32_t counter_next, std::uint8_t id);
    /// Sends under this one from now on; nothing happens when it is not known.
    void use(std::uint8_t id);
    /// Knows it no longer; not for the current one.
    void forget(std::uint8_t id);
    void clear_key();
    bool has_key() const { return current_ != 0; }
    bool knows(std::uint8_t id) const { return (id == 1 || id == 2) && slot(id).mac != nullptr; }
    std::uint8_t current() const { return current_; }  ///< 0: none
    std::uint32_t counter_next() const { return has_key() ? slot(current_).counter_next : 1; }

    /// Complete PSDU. Takes the next counter when the frame is to be secured; `frame.counter` and `mic`
    /// report what was used, `frame.key` too. Empty when the counter is used up: the net key must change
    /// first.
    Buffer seal(MacFrame& frame, Mic& mic);

    enum class Verdict : std::uint8_t { fresh, repeated, not_authentic, too_old };
    /// Looks only; call remember() once the frame was taken. Unsecured frames are always fresh.
    Verdict verify(const ReceivedFrame& received, Instant now);
    void remember(const MacFrame& frame, Instant now);

    Mic ack_mic(const AckFrame& ack, const MacFrame& frame, const Mic& mic);

private:
    struct Slot {
        explicit Slot(std::size_t senders_max) : senders(senders_max) {}
        std::unique_ptr<wattmesh::Mac> mac;
        std::uint32_t counter_next = 1;
        ReplayTable senders;
    };
    Slot& slot(std::uint8_t id) { return slots_[id - 1U]; }
    const Slot& slot(std::uint8_t id) const { return slots_[id - 1U]; }
    void put(const Key128& key, std::uint32_t counter_next, std::uint8_t id);
    static Mic compute(wattmesh::Mac& mac, Bytes covered);
    Ciphers& ciphers_;
    std::array<Slot, 2> slots_;
    std::uint8_t current_ = 0;
};

}  // namespace wattmesh::mesh
