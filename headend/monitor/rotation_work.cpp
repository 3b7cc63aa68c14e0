#include "headend/monitor/rotation_work.h"

#include <algorithm>

namespace wattmesh::headend::monitor {

std::optional<Duration> try_again(const RotationWorkSettings& settings, int attempts) {
    if (attempts >= settings.attempts_max) return std::nullopt;
    Duration wait = settings.again;
    for (int i = 1; i < attempts && wait < settings.again_max; ++i) wait *= 2;
    return std::min(wait, settings.again_max);
}

RotationWork::RotationWork(platform::Loop& loop, const RotationWorkSettings& settings,
                           database::QueryQueue& queue, KeyRotator& rotator)
    : loop_(loop), settings_(settings), queue_(queue), rotator_(rotator), log_("rotation"), timer_(loop) {}

RotationWork::~RotationWork() = default;

void RotationWork::start() { look(); }

void RotationWork::stop() {
    alive_.reset();
    timer_.cancel();
}

void RotationWork::look() {
    timer_.after_real(settings_.look_real, [this] { look(); });
    const int most = settings_.at_once - static_cast<int>(open_.size());
    if (looking_ || most <= 0) return;
    looking_ = true;
    queue_.run(
        [now = loop_.now(), claim = settings_.claim, most](database::Connection& connection) {
            return database::KeyRotations{connection}.claim(now, now + claim, most);
        },
        [this, alive = std::weak_ptr{alive_}](
            const std::optional<std::vector<database::KeyRotationOrder>>& claimed) {
            if (!alive.lock()) return;
            looking_ = false;
            if (!claimed) return;
            for (const auto& order : *claimed) begin(order);
        });
}

void RotationWork::begin(const database::KeyRotationOrder& order) {
    if (!open_.insert(order.meter).second) return;
    log_.information("rotating keys meter={} kinds={} attempt={}", to_string(order.meter), order.kinds,
                     order.attempts + 1);
    // An order whose kinds are all done may still have to be finished.
    rotator_.rotate(
        {order.id.value, order.meter, key_kinds(order.kinds).value_or(std::vector<dlms::KeyKind>{}),
         order.actor, order.reason},
        [this, order, alive = std::weak_ptr{alive_}](const RotationResult& result) {
            if (alive.lock()) ended(order, result.trouble);
        });
}

void RotationWork::ended(const database::KeyRotationOrder& order, const std::string& trouble) {
    log_.information("rotated keys meter={} trouble={}", to_string(order.meter),
                     trouble.empty() ? "none" : trouble);
    const auto again = trouble.empty() ? std::nullopt : try_again(settings_, order.attempts + 1);
    queue_.execute(
        [id = order.id, trouble, again, now = loop_.now()](database::Connection& connection) {
            database::KeyRotations orders{connection};
            if (again)
                orders.postpone(id, now + *again, trouble);
            else
                orders.finish(id, now, trouble);
        },
        // Not taken: the order is due again when its claim ends, and goes on then.
        [this, meter = order.meter, alive = std::weak_ptr{alive_}](bool) {
            if (alive.lock()) open_.erase(meter);
        });
}

}  // namespace wattmesh::headend::monitor
