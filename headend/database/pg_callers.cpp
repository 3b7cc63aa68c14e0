#include "headend/database/pg_callers.h"

#include <map>
#include <utility>
#include <vector>

#include "headend/database/concentrators.h"

namespace wattmesh::headend::database {

using frontend::SessionOpened, frontend::Standing;

namespace {

using Done = std::function<void(std::optional<SessionOpened>)>;
using Grants = std::map<DeviceNumber, SessionGrant>;
constexpr std::size_t asked_at_once_max = 1'000;

SessionOpened opened(const Grants& grants, DeviceNumber number) {
    const auto grant = grants.find(number);
    if (grant == grants.end()) return {Standing::unknown, {}};
    if (grant->second.state == ConcentratorState::revoked) return {Standing::revoked, {}};
    return {Standing::known, grant->second.epoch};
}

}  // namespace

struct PgCallers::Desk {
    std::vector<std::pair<DeviceNumber, Done>> waiting;
    Instant now{};
    bool asking = false;
};

PgCallers::PgCallers(QueryQueue& queue) : queue_(queue), desk_(std::make_shared<Desk>()) {}

void PgCallers::open_caller(DeviceNumber number, Instant now, Done done) {
    desk_->waiting.emplace_back(number, std::move(done));
    desk_->now = now;
    ask(queue_, desk_);
}

void PgCallers::ask(QueryQueue& queue, const std::shared_ptr<Desk>& desk) {
    if (desk->asking || desk->waiting.empty()) return;
    desk->asking = true;
    auto batch = std::make_shared<std::vector<std::pair<DeviceNumber, Done>>>(std::move(desk->waiting));
    desk->waiting.clear();
    if (batch->size() > asked_at_once_max) {
        desk->waiting.assign(std::make_move_iterator(batch->begin() + asked_at_once_max),
                             std::make_move_iterator(batch->end()));
        batch->resize(asked_at_once_max);
    }
    std::vector<DeviceNumber> numbers;
    for (const auto& [number, done] : *batch) numbers.push_back(number);
    queue.run(
        [numbers = std::move(numbers), now = desk->now](Connection& connection) {
            return Concentrators{connection}.open_sessions(numbers, now, Road::direct);
        },
        std::function<void(std::optional<Grants>)>{
            [&queue, batch, whose = std::weak_ptr{desk}](const std::optional<Grants>& grants) {
                for (const auto& [number, done] : *batch)
                    done(grants ? std::optional{opened(*grants, number)} : std::nullopt);
                const auto alive = whose.lock();  // as long as the directory, which the queue outlives
                if (!alive) return;
                alive->asking = false;
                ask(queue, alive);
            }});
}

}  // namespace wattmesh::headend::database
