#include "headend/database/counter_horizon.h"

#include <algorithm>

#include "security/file_counter_store.h"

namespace wattmesh::headend::database {
namespace {

constexpr const char *reservations_file = "reservations", *raised_file = "raised";

class MemoryStore : public CounterStore {
public:
    std::optional<std::uint32_t> next() override { return std::nullopt; }
    bool accept(std::uint32_t received) override {
        if (received <= newest_) return false;
        newest_ = received;
        return true;
    }
    void raise(std::uint32_t) override {}

private:
    std::uint32_t newest_ = 0;
};

}  // namespace

CounterHorizon::CounterHorizon(std::filesystem::path folder) : folder_(std::move(folder)) {
    std::filesystem::create_directories(folder_);
    std::filesystem::permissions(folder_, std::filesystem::perms::owner_all);
    if (std::filesystem::exists(folder_ / reservations_file)) open();
}
CounterHorizon::CounterHorizon()
    : reservations_(std::make_unique<MemoryStore>()), raised_(std::make_unique<MemoryStore>()) {}
CounterHorizon::~CounterHorizon() = default;

/// The file that tells whether anything is remembered is made last.
void CounterHorizon::open() {
    raised_ = std::make_unique<security::FileCounterStore>(folder_ / raised_file);
    reservations_ = std::make_unique<security::FileCounterStore>(folder_ / reservations_file);
}

std::optional<CounterBlock> CounterHorizon::reserve(Connection& connection, MeterId meter, KeyPurpose purpose,
                                                    std::uint32_t count, Instant now) {
    const std::lock_guard lock{mutex_};
    KeyCounters counters{connection};
    auto block = counters.reserve(meter, purpose, count, now);
    if (!block) return block;
    if (!reservations_ || !reservations_->accept(block->reservation)) {
        catch_up(connection, *block);
        block = counters.reserve(meter, purpose, count, now);
        // Refused: the database was put back once more, just now.
        if (!block || !reservations_->accept(block->reservation)) return std::nullopt;
    }
    static_cast<void>(raised_->accept(block->raised));  // somebody else may have made counters jump
    return block;
}

void CounterHorizon::catch_up(Connection& connection, const CounterBlock& old) {
    if (!reservations_) {
        // The files come after the jump: a crash in between only leads to another jump.
        KeyCounters{connection}.jump();
        return open();
    }
    // What is remembered rises first, above everything remembered: a crash in between is noticed again at the
    // next reservation.
    std::uint64_t raised = old.raised, reservation = old.reservation;
    do raised = std::min<std::uint64_t>(raised + KeyCounters::jump_size, KeyCounters::counter_max);
    while (!raised_->accept(static_cast<std::uint32_t>(raised)) && raised < KeyCounters::counter_max);
    for (std::uint64_t step = 1; reservation < KeyCounters::counter_max; step *= 2) {
        reservation = std::min<std::uint64_t>(reservation + step, KeyCounters::counter_max);
        if (reservations_->accept(static_cast<std::uint32_t>(reservation))) break;
    }
    KeyCounters{connection}.jump(static_cast<std::uint32_t>(raised), static_cast<std::uint32_t>(reservation));
}

}  // namespace wattmesh::headend::database
