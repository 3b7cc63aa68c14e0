#include "headend/database/counter_blocks.h"

#include <algorithm>
#include <bitset>
#include <optional>

namespace wattmesh::headend::database {
namespace {

constexpr KeyPurpose purpose = KeyPurpose::management_ek;

}  // namespace

class CounterBlocks::Counter : public CounterStore, public std::enable_shared_from_this<Counter> {
public:
    explicit Counter(QueryQueue& queue) : queue_(queue) {}

    /// How many values are left of a block that was reserved for this generation of the key.
    std::uint32_t left(std::optional<std::int32_t> generation) const {
        const std::lock_guard lock{mutex_};
        return generation == generation_ ? static_cast<std::uint32_t>(end_ - next_) : 0;
    }

    void add(MeterId meter, const CounterBlock& block) {
        const std::lock_guard lock{mutex_};
        meter_ = meter;
        // The rest of the older block is skipped: the meter wants rising values, and another process may have
        // used higher ones.
        next_ = block.first;
        end_ = std::uint64_t{block.last} + 1;
        if (generation_ != block.generation) received_ = written_ = -1;
        generation_ = block.generation;
        if (next_ >= wanted_) wanted_ = 0;
        if (block.received > received_) seen_.set();  // which of them another process took is not known
        received_ = std::max(received_, block.received);
    }

    std::optional<std::uint32_t> next() override {
        const std::lock_guard lock{mutex_};
        if (next_ == end_) return std::nullopt;
        return static_cast<std::uint32_t>(next_++);
    }

    bool accept(std::uint32_t received) override {
        {
            const std::lock_guard lock{mutex_};
            if (received <= received_) return false;
            const auto further = static_cast<std::uint64_t>(received - received_);
            seen_ <<= further;
            if (further <= late_max) seen_.set(further - 1);  // the one that was the highest
            received_ = received;
        }
        write_behind();
        return true;
    }

    /// As accept(), or one of the values below that was not accepted yet.
    bool accept_unasked(std::uint32_t received) {
        if (accept(received)) return true;
        const std::lock_guard lock{mutex_};
        const auto below = static_cast<std::uint64_t>(received_ - received);
        if (below == 0 || below > late_max || seen_.test(below - 1)) return false;
        seen_.set(below - 1);
        return true;
    }

    void raise(std::uint32_t next) override {
        const std::lock_guard lock{mutex_};
        if (next <= next_) return;
        if (next > end_) wanted_ = std::max(wanted_, next);
        next_ = std::min<std::uint64_t>(next, end_);
    }
    /// The next block must begin here or above; 0 = anywhere.
    std::uint32_t wanted() const {
        const std::lock_guard lock{mutex_};
        return wanted_;
    }

private:
    /// One write at a time; it takes the newest value when it runs.
    void write_behind() {
        if (writing_) return;
        writing_ = true;
        queue_.execute(
            [self = shared_from_this()](Connection& connection) {
                std::unique_lock lock{self->mutex_};
                const auto meter = self->meter_;
                if (self->received_ < 0) return;  // the key was replaced meanwhile
                const auto value = static_cast<std::uint32_t>(self->received_);
                const auto generation = self->generation_.value_or(0);
                lock.unlock();
                KeyCounters{connection}.received(meter, purpose, value, generation);
                lock.lock();
                if (generation == self->generation_)
                    self->written_ = std::max<std::int64_t>(self->written_, value);
            },
            [self = shared_from_this()](bool ok) {
                self->writing_ = false;
                std::unique_lock lock{self->mutex_};
                const bool behind = self->written_ < self->received_;
                lock.unlock();
                if (ok && behind) self->write_behind();
            });
    }

    QueryQueue& queue_;
    mutable std::mutex mutex_;
    MeterId meter_;
    std::uint64_t next_ = 0, end_ = 0;
    std::uint32_t wanted_ = 0;
    std::int64_t received_ = -1, written_ = -1;
    std::bitset<late_max> seen_;  ///< bit n: received_ - 1 - n was accepted
    std::optional<std::int32_t> generation_;
    bool writing_ = false;  // loop thread only
};

class CounterBlocks::Unasked : public CounterStore {
public:
    explicit Unasked(Counter& counter) : counter_(counter) {}
    std::optional<std::uint32_t> next() override { return counter_.next(); }
    bool accept(std::uint32_t received) override { return counter_.accept_unasked(received); }
    void raise(std::uint32_t next) override { counter_.raise(next); }

private:
    Counter& counter_;
};

std::shared_ptr<CounterBlocks::Counter> CounterBlocks::counter(DeviceNumber number) {
    const std::lock_guard lock{mutex_};
    auto& found = counters_[number];
    if (!found) found = std::make_shared<Counter>(queue_);
    return found;
}

bool CounterBlocks::refill(Connection& connection, DeviceNumber number, MeterId meter, Instant now) {
    const auto found = counter(number);
    KeyCounters counters{connection};
    const std::uint32_t wanted = found->wanted();
    if (wanted != 0)
        counters.raise(meter, purpose, wanted);
    else if (found->left(counters.generation(meter, purpose)) >= low)
        return true;
    const auto block = horizon_.reserve(connection, meter, purpose, block_size, now);
    if (!block) return false;
    found->add(meter, *block);
    return true;
}

CounterStore& CounterBlocks::of(DeviceNumber number) { return *counter(number); }

CounterStore& CounterBlocks::unasked(DeviceNumber number) {
    Counter& found = *counter(number);
    const std::lock_guard lock{mutex_};
    auto& made = unasked_[number];
    if (!made) made = std::make_unique<Unasked>(found);
    return *made;
}

}  // namespace wattmesh::headend::database
