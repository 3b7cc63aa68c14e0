#pragma once
#include <set>

#include "headend/database/query_queue.h"
#include "headend/monitor/relay_desk.h"
#include "headend/monitor/token_desk.h"
#include "security/master_key.h"

namespace wattmesh::headend::monitor {

struct DeliveryWorkSettings {
    int at_once = 8;
    /// A delivery belongs to one process for this long, and to anybody after a crash. Above what one leg
    /// takes.
    Duration claim = std::chrono::minutes{10};
    /// After a first trouble; then twice as long each time, up to the second.
    Duration again = std::chrono::seconds{20}, again_max = std::chrono::minutes{15};
    /// Between looks at a meter that is to act soon, or at a job.
    Duration soon = std::chrono::seconds{5};
    /// Tenths of a volt behind an open breaker, from which on somebody else feeds it.
    std::int64_t load_side_max = 250;
    Duration settles = std::chrono::minutes{2};  ///< within which a breaker closes by itself
    int orders_max = 5;                          ///< relay jobs for one delivery
};

/// Between these a process may die.
enum class DeliveryStep : std::uint8_t {
    claimed,
    looked,        ///< at the gateway
    noted,         ///< that a token goes out
    answered,      ///< by the meter, and not stored yet
    stored,        ///< what became of a token
    balance_seen,  ///< and stored
    breaker_seen,
    ordered,  ///< a relay job, and stored
};
inline constexpr int delivery_step_count = 8;

/// Brings sold tokens to meters: gateway, balance, breaker, and where the model needs it a relay job. Each
/// leg goes from one stored state to the next and may be gone twice: the gateway is looked at before anything
/// is sent, and a meter takes a token once. Whoever dies leaves the rest to the next claim. One thread; looks
/// when it is told to.
class DeliveryWork {
public:
    struct Ports {
        database::QueryQueue& queue;
        const security::MasterKey& master;
        TokenDesk& tokens;
        RelayDesk& relay;
        std::function<void()> pump;
        std::function<Instant()> now;
        std::function<bool(DeliveryStep)> lives{};  ///< tests: false is a crash
    };
    DeliveryWork(const DeliveryWorkSettings& settings, Ports ports)
        : settings_(settings), ports_(std::move(ports)) {}

    /// Takes what is due.
    void look();

private:
    struct Leg {
        database::Delivery delivery;
        const cosem::MeterModel* model = nullptr;
    };
    using LegPtr = std::shared_ptr<const Leg>;

    void begin(const database::Delivery& delivery);
    void look_at_gateway(const LegPtr& leg);
    void prepare(const LegPtr& leg, const GatewayView& view);
    void enter(const LegPtr& leg, int place, const std::string& digits);
    void entered(const LegPtr& leg, int place, const TokenOutcome& outcome);
    void key_changed(const LegPtr& leg);
    void key_kept(const LegPtr& leg);
    void see(const LegPtr& leg);
    void decide(const LegPtr& leg, const database::MeterBalance& balance, const RelayState& state);
    void command(const LegPtr& leg, const RelayState& state);
    void order(const LegPtr& leg);
    void follow(const LegPtr& leg);

    using Change = std::function<void(database::Connection&)>;
    void store(const LegPtr& leg, Change change, std::function<void()> then = {});
    void postpone(const LegPtr& leg, const std::string& detail, std::optional<Duration> pause = {});
    void finish(const LegPtr& leg, const std::string& detail, const std::string& relay);
    void leave(const LegPtr& leg);
    bool lives(DeliveryStep step) const { return !ports_.lives || ports_.lives(step); }
    /// Calls `what` with its arguments while this object lives.
    template <class What>
    auto guarded(What what) const {
        return [what = std::move(what), alive = std::weak_ptr{alive_}](auto&&... arguments) mutable {
            if (alive.lock()) what(std::forward<decltype(arguments)>(arguments)...);
        };
    }

    DeliveryWorkSettings settings_;
    Ports ports_;
    std::set<database::SaleId> open_;
    bool looking_ = false;
    std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace wattmesh::headend::monitor
