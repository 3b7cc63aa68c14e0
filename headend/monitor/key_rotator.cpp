#include "headend/monitor/key_rotator.h"

#include <algorithm>
#include <cassert>
#include <utility>

#include "headend/monitor/counter_rescue.h"
#include "headend/monitor/guarded_protection.h"

namespace wattmesh::headend::monitor {
namespace {

using dlms::KeyKind;
using dlms::TransferOutcome;

constexpr dlms::MethodId key_transfer{dlms::class_security_setup, ObisCode{{0, 0, 43, 0, 0, 255}},
                                      dlms::method_key_transfer};

/// The ledger of the seat that is taken now.
struct SeatedLedger final : dlms::KeyLedger {
    dlms::ClientKeys current() const override { return seat->ledger().current(); }
    std::optional<SymmetricKey> pending(KeyKind kind) const override { return seat->ledger().pending(kind); }
    void set_pending(KeyKind kind, const SymmetricKey& key) override {
        seat->ledger().set_pending(kind, key);
    }
    void promote(KeyKind kind) override { seat->ledger().promote(kind); }
    void drop_pending(KeyKind kind) override { seat->ledger().drop_pending(kind); }
    RotationSeat* seat = nullptr;
};

/// What was received under an encryption key that is not in force yet.
struct FreshFloor final : CounterStore {
    std::optional<std::uint32_t> next() override { return std::nullopt; }
    bool accept(std::uint32_t received) override {
        if (highest && received <= *highest) return false;
        highest = received;
        return true;
    }
    void raise(std::uint32_t) override {}
    std::optional<std::uint32_t> highest;
};

}  // namespace

/// What the last errand, or the beginning, means for the rotation. Without anything: the errand once more.
struct KeyRotator::Input {
    bool begin = false;
    std::optional<TransferOutcome> transferred;
    std::optional<bool> tried;
};

/// One rotation. Its work is done by one thread after the other, never by two at once.
struct KeyRotator::Run {
    struct Errand {
        GuardedAccess access;
        std::optional<MeterErrand::Call> call;
        bool release = false;
    };
    RotationOrder order;
    Done done;
    Instant began{};
    DeviceNumber concentrator{};
    SeatedLedger ledger{};
    FreshFloor floor{};
    std::optional<dlms::KeyRotation> rotation{};
    std::optional<dlms::KeyRotationAction> asked{};  ///< what the errand is for
    std::optional<Errand> errand{};
    std::shared_ptr<MeterErrand> under_way{};
    std::shared_ptr<CounterRescue> rescue{};
    bool started = false, doubt = false, refused = false, lost = false;

    void work(RotationSeat& seat, const Input& input, Ciphers& ciphers, Random& random,
              GuardedProtection::Refused note);
    void conclude(RotationSeat& seat, const dlms::KeyRotationAction& action);
    void prepare(RotationSeat& seat, Ciphers& ciphers, GuardedProtection::Refused note);
};

void KeyRotator::Run::work(RotationSeat& seat, const Input& input, Ciphers& ciphers, Random& random,
                           GuardedProtection::Refused note) {
    ledger.seat = &seat;
    errand.reset();
    if (input.begin) {
        rotation.emplace(ledger, ciphers, random, seat.security.suite);
        rotation->resume();  // what an earlier attempt left in doubt, before anything new
    } else if (input.transferred) {
        refused = *input.transferred == TransferOutcome::refused;
        rotation->transferred(*input.transferred);
    } else if (input.tried) {
        rotation->tried(*input.tried);
    } else {
        return prepare(seat, ciphers, std::move(note));
    }
    for (;;) {
        auto action = rotation->take_action();
        if (!action && (started || doubt || order.kinds.empty())) return;
        if (!action) {
            started = true;
            rotation->start(order.kinds);
        } else if (std::holds_alternative<dlms::TransferKey>(*action) ||
                   std::holds_alternative<dlms::TryKeys>(*action)) {
            asked = std::move(action);
            return prepare(seat, ciphers, std::move(note));
        } else {
            conclude(seat, *action);
        }
    }
}

/// The ledger has it already.
void KeyRotator::Run::conclude(RotationSeat& seat, const dlms::KeyRotationAction& action) {
    if (const auto* replaced = std::get_if<dlms::KeyReplaced>(&action)) {
        if (replaced->kind == KeyKind::unicast_encryption)
            seat.encryption_replaced(floor.highest.value_or(0));
        std::erase(order.kinds, replaced->kind);
    } else if (const auto* kept = std::get_if<dlms::KeyKept>(&action)) {
        if (!started) return;  // an earlier attempt's: it is begun anew
        if (refused) {
            seat.refused(kept->kind);
            std::erase(order.kinds, kept->kind);
        } else {
            lost = true;
        }
    } else {
        doubt = true;
    }
    refused = false;
}

void KeyRotator::Run::prepare(RotationSeat& seat, Ciphers& ciphers, GuardedProtection::Refused note) {
    const auto* transfer = std::get_if<dlms::TransferKey>(&*asked);
    const auto* proof = std::get_if<dlms::TryKeys>(&*asked);
    assert(transfer != nullptr || proof != nullptr);
    const bool other_key = proof != nullptr && proof->fresh && proof->kind == KeyKind::unicast_encryption;
    // A meter may count from 0 again under a new key. We go on, which is right under any key.
    CounterStore& receive = other_key ? static_cast<CounterStore&>(floor) : seat.counters();
    auto keyed = std::make_unique<dlms::SecurityContext>(
        proof != nullptr ? proof->keys : seat.ledger().current(), seat.own_title, seat.meter_title, ciphers,
        seat.counters(), receive, seat.security);
    concentrator = seat.concentrator;
    errand.emplace(Errand{{.concentrator = seat.concentrator,
                           .own_title = seat.own_title,
                           .meter_title = seat.meter_title,
                           .protection = std::make_unique<GuardedProtection>(std::move(keyed), Role::rotation,
                                                                             0, std::move(note)),
                           .mechanism = seat.security.mechanism,
                           .pdu_size_least = seat.pdu_size_least},
                          std::nullopt,
                          true});
    if (transfer == nullptr) return;
    errand->call = {key_transfer, transfer->argument};
    errand->release =
        transfer->kind != KeyKind::unicast_encryption && transfer->kind != KeyKind::authentication;
}

KeyRotator::KeyRotator(OnDemandSettings settings, RotationDesk& desk, KeyService& keys, OnDemand& on_demand,
                       Carry carry, OnDemand::Now now, Ciphers& ciphers, Random& random)
    : settings_(settings),
      desk_(desk),
      keys_(keys),
      on_demand_(on_demand),
      carry_(std::move(carry)),
      now_(std::move(now)),
      ciphers_(ciphers),
      random_(random) {}

KeyRotator::~KeyRotator() = default;

void KeyRotator::rotate(RotationOrder order, Done done) {
    const DeviceNumber meter = order.meter;
    assert(!runs_.contains(meter));
    auto run = std::make_shared<Run>(Run{.order = std::move(order), .done = std::move(done)});
    run->began = now_();
    run->rescue = std::make_shared<CounterRescue>(ciphers_, random_);
    runs_[meter] = run;
    on_demand_.hold(meter, [this, waiting = std::weak_ptr{run}] {
        if (const auto alive = waiting.lock()) step(alive, {.begin = true, .transferred = {}, .tried = {}});
    });
}

void KeyRotator::step(const std::shared_ptr<Run>& run, const Input& input) {
    auto note = [this, order = run->order](const std::string& why) { desk_.refused(order, why); };
    desk_.sit(
        run->order,
        [this, run, input, note = std::move(note)](RotationSeat& seat) {
            run->work(seat, input, ciphers_, random_, note);
        },
        [this, waiting = std::weak_ptr{run}](const std::string& fault) {
            if (const auto alive = waiting.lock()) after_step(alive, fault);
        });
}

void KeyRotator::after_step(const std::shared_ptr<Run>& run, const std::string& fault) {
    if (!fault.empty()) return finish(run, fault);
    if (run->doubt) return finish(run, "in_doubt");
    if (!run->errand) return finish(run, run->lost ? "lost" : "");
    if (now_() - run->began > time_max) return finish(run, "no_answer");
    auto errand = std::exchange(run->errand, std::nullopt);
    // Held here too: it may end, and another begin, before start() returns.
    const auto talk = std::make_shared<MeterErrand>(run->order.meter, carry_, ciphers_, random_);
    run->under_way = talk;
    talk->start(std::move(errand->access), settings_.pdu_size_max, std::move(errand->call), errand->release,
                [this, waiting = std::weak_ptr{run}](const ErrandResult& result) {
                    if (const auto alive = waiting.lock()) on_errand(alive, result);
                });
}

void KeyRotator::on_errand(const std::shared_ptr<Run>& run, const ErrandResult& result) {
    using What = ErrandResult::What;
    Input input;
    const bool transfer = std::holds_alternative<dlms::TransferKey>(*run->asked);
    switch (result.what) {
        case What::unreached:
            return finish(run, result.fault);  // nothing was learned: later, from the ledger
        case What::denied:
            if (result.denial && run->rescue->may_help(*result.denial)) return rescue(run);
            if (transfer) return finish(run, "denied");
            input.tried = false;
            break;
        case What::done:
            if (transfer)
                input.transferred = TransferOutcome::taken;
            else
                input.tried = true;
            break;
        case What::refused:
            input.transferred = TransferOutcome::refused;
            break;
        case What::lost:
            input.transferred = TransferOutcome::lost;
            break;
    }
    step(run, input);
}

/// Once in a rotation: the meter may have heard higher counters than we remember.
void KeyRotator::rescue(const std::shared_ptr<Run>& run) {
    run->rescue->begin(run->concentrator, run->order.meter, carry_,
                       [this, waiting = std::weak_ptr{run}](const dlms::CounterRecoveryEvent& event) {
                           const auto alive = waiting.lock();
                           if (!alive) return;
                           if (const auto* raised = std::get_if<dlms::CounterRaised>(&event))
                               keys_.raise(alive->order.meter, *raised, alive->order.actor);
                           step(alive, {});  // the same errand; now a refusal is one
                       });
}

void KeyRotator::finish(const std::shared_ptr<Run>& run, std::string trouble) {
    const DeviceNumber meter = run->order.meter;
    runs_.erase(meter);
    on_demand_.release(meter);
    run->done({std::move(trouble)});
}

}  // namespace wattmesh::headend::monitor
