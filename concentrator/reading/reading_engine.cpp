#include "concentrator/reading/reading_engine.h"

#include <algorithm>

#include "concentrator/reading/row_entries.h"

namespace wattmesh::concentrator {

ReadingEngine::ReadingEngine(EngineSettings settings, JournalStore& store, Ciphers& ciphers, Random& random,
                             const Recovered& recovered)
    : settings_(settings),
      store_(store),
      ciphers_(ciphers),
      random_(random),
      range_id_(recovered.range_id_last) {
    for (const auto& position : recovered.positions)
        progress_[{position.meter, position.profile}].position = position.at;
    for (const auto& range : recovered.ranges)
        progress_[{range.meter, range.profile}].ranges.push_back(range);
}
ReadingEngine::~ReadingEngine() = default;

void ReadingEngine::set_meters(const std::vector<KeyedMeter>& meters) {
    std::map<DeviceNumber, Meter> kept;
    for (const auto& keyed : meters) {
        const auto number = keyed.listed.number;
        const auto known = meters_.find(number);
        Meter meter = known == meters_.end() ? Meter{} : std::move(known->second);
        if (known != meters_.end()) meters_.erase(known);
        const bool is_new = meter.profiles.empty();
        meter.listed = keyed.listed;
        const bool titled = keyed.listed.lease != dcu::MeterLease{};
        if (!keyed.keys || !meter.talk || !meter.talk->has(keyed.keys->reading) ||
            meter.talk->titled() != titled) {
            drop_job(meter);
            meter.talk.reset();
            if (keyed.keys)
                meter.talk = std::make_unique<MeterTalk>(number, keyed.keys->reading, settings_.own_title,
                                                         titled, ciphers_, random_);
        }
        if (is_new) load_profiles(meter);
        skip_stored(meter);
        kept.emplace(number, std::move(meter));
    }
    for (auto& [number, meter] : meters_) drop_job(meter);
    meters_ = std::move(kept);
}

void ReadingEngine::set_plan(const dcu::ReadingPlan& plan) {
    plan_ = plan;
    std::erase_if(plan_.profiles,
                  [](const auto& profile) { return profile.period_s == 0 || profile.rows_max == 0; });
    for (auto& [number, meter] : meters_) {
        drop_job(meter);
        load_profiles(meter);
        skip_stored(meter);
    }
}

void ReadingEngine::load_profiles(Meter& meter) {
    meter.profiles.clear();
    for (const auto& plan : plan_.profiles) {
        Profile profile;
        profile.plan = plan;
        profile.progress = &progress_[{meter.listed.number, plan.profile}];
        meter.profiles.push_back(profile);
    }
}

/// What other concentrators have read of a meter that came from them need not be read again.
void ReadingEngine::skip_stored(Meter& meter) {
    const auto& lease = meter.listed.lease;
    for (auto& profile : meter.profiles)
        if (lease.here && profile.plan.profile == obis::load_profile)
            profile.progress->position = std::max(profile.progress->position, lease.stored_to);
}

/// The answer that may still come is not ours any more.
void ReadingEngine::drop_job(Meter& meter) {
    std::erase_if(requests_,
                  [&](const ReadRequest& request) { return request.meter == meter.listed.number; });
    if (meter.on_air) --on_air_;
    meter.on_air = false;
    meter.job.reset();
    if (!meter.talk) return;
    meter.talk->client().abort();
    while (meter.talk->client().take_event()) {
    }
}

ReadingEngine::Profile* ReadingEngine::find(const Key& key) {
    const auto meter = meters_.find(key.first);
    if (meter == meters_.end()) return nullptr;
    for (auto& profile : meter->second.profiles) {
        if (profile.plan.profile == key.second) return &profile;
    }
    return nullptr;
}

PendingRange ReadingEngine::new_range(const DeviceNumber& meter, const ObisCode& profile,
                                      const Window& window) {
    return {++range_id_, meter, profile, window.from, window.to};
}

void ReadingEngine::backfill(const std::vector<dcu::BackfillRange>& ranges, std::function<void(bool)> done) {
    Commit commit;
    std::size_t pending = 0;
    for (const auto& [key, progress] : progress_) pending += progress.ranges.size();
    for (const auto& asked : ranges) {
        const auto* profile = find({asked.number, asked.profile});
        if (profile == nullptr) continue;
        // what lies beyond the position is read anyway
        auto window = aligned({asked.from, std::min(asked.to, profile->progress->position)}, profile->plan);
        if (!window) continue;
        const auto& known = profile->progress->ranges;
        const bool covered = std::any_of(known.begin(), known.end(), [&](const PendingRange& range) {
            return range.from <= window->from && window->to <= range.to;
        });
        if (!covered) commit.ranges.push_back(new_range(asked.number, asked.profile, *window));
    }
    if (pending + commit.ranges.size() > settings_.ranges_max) return done(false);
    if (commit.ranges.empty()) return done(true);
    auto added = commit.ranges;
    store_.commit(std::move(commit),
                  [this, added = std::move(added), done = std::move(done)](const auto& stored) {
                      if (stored) {
                          for (const auto& range : added)
                              progress_[{range.meter, range.profile}].ranges.push_back(range);
                      }
                      done(stored.has_value());
                  });
}

bool ReadingEngine::reading(const DeviceNumber& meter) const {
    const auto found = meters_.find(meter);
    return found != meters_.end() && found->second.on_air;
}

void ReadingEngine::hold(const DeviceNumber& meter, Instant until) {
    const auto found = meters_.find(meter);
    if (found != meters_.end()) found->second.held_until = until;
}

void ReadingEngine::joined(const DeviceNumber& meter, const Now& now) {
    now_ = now;
    const auto found = meters_.find(meter);
    if (found == meters_.end()) return;
    // Somebody else may have read it meanwhile, with later counters than ours.
    if (found->second.talk) found->second.talk->timed = false;
    for (auto& profile : found->second.profiles) {
        profile.newest.at = now.steady;
        profile.pending.at = now.steady;
    }
}

std::optional<ReadRequest> ReadingEngine::take_request() {
    if (requests_.empty()) return std::nullopt;
    auto request = std::move(requests_.front());
    requests_.pop_front();
    return request;
}

void ReadingEngine::answered(const DeviceNumber& number, Bytes payload, const Now& now) {
    now_ = now;
    const auto found = meters_.find(number);
    if (found == meters_.end() || !found->second.on_air) return;
    auto& meter = found->second;
    meter.on_air = false;
    --on_air_;
    if (payload.size() > 1 && payload[0] == reading_client.value)
        meter.talk->client().receive(payload.subspan(1));
    pump(meter);
    if (!meter.job || meter.on_air) return;
    drop_job(meter);  // an answer that the client could not use at all
    lost(meter, dcu::ReadFault::malformed);
}

void ReadingEngine::failed(const DeviceNumber& number, dcu::ReadFault reason, const Now& now) {
    now_ = now;
    const auto found = meters_.find(number);
    if (found == meters_.end() || !found->second.on_air) return;
    const auto job = found->second.job;
    drop_job(found->second);
    found->second.job = job;
    lost(found->second, reason);
}

void ReadingEngine::pump(Meter& meter) {
    auto& client = meter.talk->client();
    while (auto event = client.take_event()) {
        if (!meter.job) continue;
        if (const auto* read = std::get_if<dlms::ReadCompleted>(&*event)) completed(meter, read->outcome);
        if (const auto* failure = std::get_if<dlms::RequestFailed>(&*event)) {
            const auto fault = failure->error.fault;
            const bool forged = fault == Fault::not_authentic || fault == Fault::replayed;
            lost(meter, failure->exception ? dcu::ReadFault::refused
                        : forged           ? dcu::ReadFault::not_authentic
                                           : dcu::ReadFault::malformed);
        }
    }
    while (auto apdu = client.take_output()) {
        Buffer payload{static_cast<std::uint8_t>(reading_client.value)};
        payload.insert(payload.end(), apdu->begin(), apdu->end());
        requests_.push_back({meter.listed.number, std::move(payload), settings_.answer_deadline});
        if (!meter.on_air) ++on_air_;
        meter.on_air = true;
        ++counts_.requests;
    }
}

void ReadingEngine::completed(Meter& meter, const dlms::ReadOutcome& outcome) {
    const auto* rows = std::get_if<dlms::Data>(&outcome);
    if (rows == nullptr && meter.job->kind != JobKind::oldest) return lost(meter, dcu::ReadFault::refused);
    const Job job = *meter.job;
    switch (job.kind) {
        case JobKind::newest:
            return newest_read(meter, job, *rows);
        case JobKind::range:
            return range_read(meter, job, *rows);
        case JobKind::oldest:
            return oldest_read(meter, job, rows == nullptr ? dlms::Data{} : *rows);
    }
}

void ReadingEngine::newest_read(Meter& meter, const Job& job, const dlms::Data& rows) {
    auto& profile = meter.profiles[job.profile];
    const auto number = meter.listed.number;
    auto read = row_entries(number, profile.plan.profile, rows, period(profile.plan), now_);
    if (!read) return lost(meter, dcu::ReadFault::malformed);
    meter.job.reset();
    if (!read->last || *read->last < job.window.from) {
        // The meter has nothing yet: its clock is behind, or it was without power.
        ++counts_.empty_answers;
        ++profile.newest.attempts;
        profile.newest.at = backed_off(profile.newest.attempts);
        return;
    }
    Commit commit;
    commit.entries = std::move(read->entries);
    const Instant position = std::min(*read->last, job.window.to);
    commit.positions.push_back({number, profile.plan.profile, position});
    if (job.left_behind) commit.ranges.push_back(new_range(number, profile.plan.profile, *job.left_behind));
    counts_.rows_journalled += rows.elements()->size();
    const auto ranges = commit.ranges;
    submit(meter, profile, std::move(commit), [position, ranges](Progress& progress) {
        progress.position = position;
        progress.ranges.insert(progress.ranges.end(), ranges.begin(), ranges.end());
    });
}

void ReadingEngine::range_read(Meter& meter, const Job& job, const dlms::Data& rows) {
    auto& profile = meter.profiles[job.profile];
    auto read = row_entries(meter.listed.number, profile.plan.profile, rows, period(profile.plan), now_);
    if (!read) return lost(meter, dcu::ReadFault::malformed);
    meter.job.reset();
    Commit commit;
    commit.entries = std::move(read->entries);
    if (commit.entries.empty()) ++counts_.empty_answers;
    counts_.rows_journalled += rows.elements()->size();
    const auto rest = after_read(job.range, job.window, profile.plan);
    if (rest) {
        commit.ranges.push_back(*rest);
    } else {
        commit.ranges_done.push_back(job.range.id);
    }
    submit(meter, profile, std::move(commit), [rest, id = job.range.id](Progress& progress) {
        for (auto& range : progress.ranges) {
            if (rest && range.id == id) range = *rest;
        }
        if (!rest) std::erase_if(progress.ranges, [id](const PendingRange& range) { return range.id == id; });
    });
}

/// A new meter has no rows as deep as the plan goes: what lies before its oldest row need not be asked for.
void ReadingEngine::oldest_read(Meter& meter, const Job& job, const dlms::Data& rows) {
    auto& profile = meter.profiles[job.profile];
    profile.oldest_known = true;
    meter.job.reset();
    const auto oldest = oldest_instant(rows);
    if (!oldest) return;  // it cannot say: all is asked for
    Commit commit;
    auto ranges = profile.progress->ranges;
    for (auto& range : ranges) {
        const auto rest =
            *oldest ? aligned({std::max(range.from, **oldest), range.to}, profile.plan) : std::nullopt;
        if (!rest) {
            commit.ranges_done.push_back(range.id);
        } else if (rest->from != range.from) {
            range.from = rest->from;
            commit.ranges.push_back(range);
        }
    }
    if (commit.ranges.empty() && commit.ranges_done.empty()) return;
    const auto changed = commit.ranges;
    const auto gone = commit.ranges_done;
    submit(meter, profile, std::move(commit), [changed, gone](Progress& progress) {
        for (auto& range : progress.ranges) {
            for (const auto& change : changed) {
                if (range.id == change.id) range = change;
            }
        }
        std::erase_if(progress.ranges, [&](const PendingRange& range) {
            return std::find(gone.begin(), gone.end(), range.id) != gone.end();
        });
    });
}

/// Nothing more is read of this profile until the disk has answered, and its progress moves only when the
/// disk said yes.
void ReadingEngine::submit(const Meter& meter, const Profile& profile, Commit commit,
                           std::function<void(Progress&)> stored) {
    const Key key{meter.listed.number, profile.plan.profile};
    commit.received.push_back({meter.listed.number, meter.talk->received().highest()});
    profile.progress->committing = true;
    store_.commit(std::move(commit), [this, key, stored = std::move(stored)](const auto& directory) {
        auto& progress = progress_[key];
        progress.committing = false;
        if (directory) stored(progress);
        auto* again = find(key);
        if (!directory) ++counts_.commits_refused;
        if (again == nullptr) return;
        const Retry retry{0, directory ? now_.steady : now_.steady + std::chrono::seconds{5}};
        again->newest = again->pending = retry;
        if (directory) again->fault.reset();
    });
}

}  // namespace wattmesh::concentrator
