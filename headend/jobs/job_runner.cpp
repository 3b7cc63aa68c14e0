#include "headend/jobs/job_runner.h"

#include <algorithm>

namespace wattmesh::headend::jobs {

using database::JobId;

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
}

void JobRunner::look() {
    timer_.after_real(settings_.look_real, [this] { look(); });
    std::vector<std::string> kinds;
    kinds.reserve(kinds_.size());
    for (const auto& [name, kind] : kinds_) kinds.push_back(name);
    queue_.run(
        [kinds, owner = settings_.owner, now = loop_.now(), claim = settings_.claim,
         most = settings_.jobs_at_once](database::Connection& connection) {
            database::Transaction transaction{connection};
            auto jobs = database::Jobs{connection}.claim(kinds, owner, now, now + claim, most);
            transaction.commit();
            return jobs;
        },
        [this, alive = std::weak_ptr{alive_}](const std::optional<std::vector<database::Job>>& jobs) {
            if (alive.lock() && jobs) take(*jobs);
        });
}

void JobRunner::take(const std::vector<database::Job>& jobs) {
    // Paused, cancelled, over, or another's now: nothing more of it is begun.
    std::erase_if(open_, [&](const auto& open) {
        return std::none_of(jobs.begin(), jobs.end(), [&](const auto& job) { return job.id == open.first; });
    });
    for (const auto& job : jobs) {
        auto& open = open_[job.id];
        if (open.kind == nullptr)
            log_.information("began job={} kind={} items={}", job.id.value, job.kind, job.total);
        open.job = job;
        open.kind = kinds_.at(job.kind);
        fill(job.id);
    }
}

void JobRunner::fill(JobId id) {
    auto& open = open_.at(id);
    const int room = open.kind->at_once() - static_cast<int>(open.in_hand.size());
    if (room <= 0 || open.asking) return;
    open.asking = true;
    // Those in hand still wait in the table, so as many more are asked for.
    const int count = open.kind->at_once() + static_cast<int>(open.in_hand.size());
    queue_.run(
        [id, count, now = loop_.now()](database::Connection& connection) {
            return database::Jobs{connection}.due(id, now, count);
        },
        [this, id,
         alive = std::weak_ptr{alive_}](const std::optional<std::vector<database::JobItem>>& items) {
            if (!alive.lock()) return;
            const auto found = open_.find(id);
            if (found == open_.end()) return;
            found->second.asking = false;
            if (items) begin(id, *items);
        });
}

void JobRunner::begin(JobId id, const std::vector<database::JobItem>& items) {
    for (const auto& item : items) {
        const auto found = open_.find(id);
        if (found == open_.end()) return;
        auto& open = found->second;
        if (static_cast<int>(open.in_hand.size()) >= open.kind->at_once()) return;
        if (!open.in_hand.insert(item.place).second) continue;
        open.kind->work(open.job, item,
                        [this, id, item, alive = std::weak_ptr{alive_}](database::ItemOutcome outcome) {
                            if (!alive.lock()) return;
                            // it cannot go on for ever: the last word of an item that never works is its
                            // fault
                            if (outcome.state == database::ItemState::waiting &&
                                item.attempts + 1 >= database::Jobs::attempts_max)
                                outcome.state = database::ItemState::failed;
                            ended(id, item.place, outcome);
                        });
    }
}

void JobRunner::ended(JobId id, int place, const database::ItemOutcome& outcome) {
    queue_.run(
        [id, place, outcome, now = loop_.now()](database::Connection& connection) {
            database::Transaction transaction{connection};
            const bool over = database::Jobs{connection}.finish(id, place, outcome, now);
            transaction.commit();
            return over;
        },
        // Not stored: the item still waits in the table and is done again.
        [this, id, place, alive = std::weak_ptr{alive_}](std::optional<bool> over) {
            if (!alive.lock()) return;
            if (over && *over) log_.information("finished job={}", id.value);
            const auto found = open_.find(id);
            if (found == open_.end()) return;
            found->second.in_hand.erase(place);
            if (over) fill(id);
        });
}

}  // namespace wattmesh::headend::jobs
