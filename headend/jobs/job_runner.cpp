#include "headend/jobs/job_runner.h"

#include <algorithm>
#include <utility>

namespace wattmesh::headend::jobs {
namespace {

/// How much simulated time passes in a real duration.
Duration simulated(const platform::Clock& clock, Duration real) {
    const auto second = std::chrono::duration<double>{clock.real(std::chrono::seconds{1})};
    return std::chrono::duration_cast<Duration>(real / std::max(second.count(), 1e-9));
}

}  // namespace

using database::JobId;
using database::JobWork;

JobRunner::JobRunner(platform::Loop& loop, JobRunnerSettings settings, database::QueryQueue& queue,
                     const std::vector<JobKind*>& kinds)
    : loop_(loop), settings_(std::move(settings)), queue_(queue), log_("jobs"), timer_(loop) {
    for (auto* kind : kinds) kinds_[kind->name()] = kind;
}

JobRunner::~JobRunner() = default;

void JobRunner::start() { look(); }

void JobRunner::stop() {
    alive_.reset();
    timer_.cancel();
    queue_.execute(
        [owner = settings_.owner](database::Connection& connection) { JobWork{connection, owner}.release(); },
        [](bool) {});
}

void JobRunner::look() {
    timer_.after_real(settings_.look_real, [this] { look(); });
    for (const auto& ended : std::exchange(unstored_, {})) store(ended);
    if (std::exchange(looking_, true)) return;  // the last look waits for the database
    std::vector<database::KindSlots> kinds;
    kinds.reserve(kinds_.size());
    for (const auto& [name, kind] : kinds_) kinds.push_back({name, kind->jobs_at_once()});
    queue_.run(
        [kinds, owner = settings_.owner, now = loop_.now(),
         claim = simulated(loop_.clock(), settings_.claim_real)](database::Connection& connection) {
            database::Transaction transaction{connection};
            auto jobs = JobWork{connection, owner}.claim(kinds, now, now + claim);
            transaction.commit();
            return jobs;
        },
        [this, alive = std::weak_ptr{alive_}](const std::optional<std::vector<database::HeldJob>>& jobs) {
            if (!alive.lock()) return;
            looking_ = false;
            if (jobs) take(*jobs);
        });
}

void JobRunner::take(const std::vector<database::HeldJob>& jobs) {
    // Paused, cancelled, over, another's now, or nothing to do: nothing more of it is begun.
    for (auto& [id, open] : open_) open.job.begins = false;
    for (const auto& job : jobs) {
        auto& open = open_[job.id];
        if (open.kind == nullptr)
            log_.information("began job={} kind={} items={}", job.id.value, job.kind, job.total);
        open.job = job;
        open.kind = kinds_.at(job.kind);
    }
    std::erase_if(open_, [](const auto& entry) {
        const auto& open = entry.second;
        return !open.job.begins && !open.asking && open.in_hand.empty();
    });
    for (const auto& job : jobs) fill(job.id);
}

void JobRunner::fill(JobId id) {
    const auto found = open_.find(id);
    if (found == open_.end()) return;
    auto& open = found->second;
    const int room = open.kind->at_once() - static_cast<int>(open.in_hand.size());
    if (!open.job.begins || room <= 0 || open.asking) return;
    open.asking = true;
    const Instant now = loop_.now();
    queue_.run(
        [id, room, now, until = now + settings_.in_hand, in_hand = open.in_hand,
         owner = settings_.owner](database::Connection& connection) {
            database::Transaction transaction{connection};
            auto items = JobWork{connection, owner}.begin(id, now, until, room, in_hand);
            transaction.commit();
            return items;
        },
        [this, id,
         alive = std::weak_ptr{alive_}](const std::optional<std::vector<database::JobItem>>& items) {
            if (!alive.lock()) return;
            open_.at(id).asking = false;
            if (items) begin(id, *items);
        });
}

void JobRunner::begin(JobId id, const std::vector<database::JobItem>& items) {
    auto& open = open_.at(id);  // what is in hand keeps it
    const auto job = open.job;
    auto* const kind = open.kind;
    for (const auto& item : items) open.in_hand.insert(item.place);
    for (const auto& item : items)
        kind->work(job, item, [this, id, item, alive = std::weak_ptr{alive_}](database::ItemOutcome outcome) {
            if (!alive.lock()) return;
            // it cannot go on for ever: the last word of an item that never works is its fault
            if (outcome.state == database::ItemState::waiting && outcome.counts &&
                item.attempts + 1 >= JobWork::attempts_max)
                outcome.state = database::ItemState::failed;
            store({id, item.place, std::move(outcome)});
        });
}

void JobRunner::store(const Ended& ended) {
    queue_.run(
        [ended, now = loop_.now(), owner = settings_.owner](database::Connection& connection) {
            database::Transaction transaction{connection};
            const bool over = JobWork{connection, owner}.finish(ended.job, ended.place, ended.outcome, now);
            transaction.commit();
            return over;
        },
        [this, ended, alive = std::weak_ptr{alive_}](std::optional<bool> over) {
            if (!alive.lock()) return;
            if (!over)
                return unstored_.push_back(ended);  // it stays in hand: what was done is not done again
            if (*over) log_.information("finished job={}", ended.job.value);
            open_.at(ended.job).in_hand.erase(ended.place);
            fill(ended.job);
        });
}

}  // namespace wattmesh::headend::jobs
