#include "headend/jobs/retry.h"

#include <algorithm>
#include <array>

namespace wattmesh::headend::jobs {
namespace {

constexpr std::array<std::string_view, 7> passing{
    "offline", "unavailable", "unreachable", "no_answer", "busy", "not_joined", "too_many_disconnects"};
constexpr std::array<std::string_view, 2> uncounted{"offline", "too_many_disconnects"};
constexpr Duration pause_min = std::chrono::minutes{1}, pause_max = std::chrono::minutes{15};

template <class Words>
bool holds(const Words& words, std::string_view fault) {
    return std::find(words.begin(), words.end(), fault) != words.end();
}

}  // namespace

bool passes(std::string_view fault) { return holds(passing, fault); }

database::ItemOutcome again(const database::Job& job, const database::JobItem& item, const std::string& fault,
                            Instant now) {
    if (!holds(uncounted, fault))
        return {database::ItemState::waiting, fault, now + pause_min * (1 << item.attempts)};
    const Duration age = now - job.started.value_or(job.created);
    return later(fault, now + std::clamp(age / 8, pause_min, pause_max));
}

database::ItemOutcome later(const std::string& why, Instant at) {
    database::ItemOutcome outcome{database::ItemState::waiting, why, at};
    outcome.counts = false;
    return outcome;
}

database::ItemOutcome later(const database::JobItem& item, Instant now) {
    return later(item.detail, now + pause_min);
}

}  // namespace wattmesh::headend::jobs
