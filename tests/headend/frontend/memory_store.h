#pragma once
#include <deque>
#include <map>

#include "headend/frontend/ports.h"
#include "headend/frontend/store.h"

namespace wattmesh::headend::frontend {

/// The store's rules in memory. Completions wait until `complete` is called, as those of a database do.
class MemoryStore : public Store, public DesiredState, public Renewals {
public:
    bool down = false;                           ///< answers unavailable
    bool mute = false;                           ///< takes calls, does the work, never answers
    std::map<DeviceNumber, Standing> standings;  ///< known unless named here
    std::map<DeviceNumber, OwnerEpoch> epochs;
    std::map<JournalId, Sequence> cursors;
    std::vector<Batch> batches;
    int opened = 0, refused_batches = 0;
    struct Seen {
        DeviceNumber concentrator;
        OwnerEpoch epoch;
        Instant last_seen;
        LinkState link;
    };
    std::vector<Seen> sightings;

    std::map<ObisCode, WantedObject> wanted_objects;
    std::vector<std::pair<ObisCode, std::uint32_t>> confirmations, overtakings;
    std::optional<Buffer> certificate;
    std::vector<Buffer> requests;

    /// Runs what is due; true when there was something.
    bool complete() {
        auto due = std::exchange(completions_, {});
        for (auto& done : due) done();
        return !due.empty();
    }

    void open_session(DeviceNumber concentrator, Instant,
                      std::function<void(std::optional<SessionOpened>)> done) override {
        ++opened;
        if (down) return later([done] { done(std::nullopt); });
        const auto named = standings.find(concentrator);
        const Standing standing = named == standings.end() ? Standing::known : named->second;
        if (standing == Standing::known) ++epochs[concentrator].value;
        later([done, opened_now = SessionOpened{standing, epochs[concentrator]}] { done(opened_now); });
    }
    void cursor(JournalId journal, DeviceNumber, std::function<void(std::optional<Sequence>)> done) override {
        if (down) return later([done] { done(std::nullopt); });
        later([done, at = cursors[journal]] { done(at); });
    }
    void store(Batch batch, std::function<void(StoreOutcome)> done) override {
        const StoreOutcome outcome = commit(batch);
        if (outcome != StoreOutcome::stored) ++refused_batches;
        later([done, outcome] { done(outcome); });
    }
    void seen(DeviceNumber concentrator, OwnerEpoch epoch, Instant last_seen, LinkState link) override {
        sightings.push_back({concentrator, epoch, last_seen, link});
    }
    void wanted(DeviceNumber, Instant,
                std::function<void(std::optional<std::vector<WantedObject>>)> done) override {
        if (down) return later([done] { done(std::nullopt); });
        std::vector<WantedObject> objects;
        for (const auto& [code, object] : wanted_objects) objects.push_back(object);
        later([done, objects] { done(objects); });
    }
    void confirm(DeviceNumber, ObisCode object, std::uint32_t version, Instant) override {
        confirmations.emplace_back(object, version);
        wanted_objects[object].confirmed = true;
    }
    void overtaken(DeviceNumber, ObisCode object, std::uint32_t version, Instant) override {
        overtakings.emplace_back(object, version);
        wanted_objects[object].version = version + 1;
    }
    void renew(DeviceNumber, Buffer request, Instant,
               std::function<void(std::optional<Buffer>)> done) override {
        requests.push_back(std::move(request));
        later([this, done] { done(certificate); });
    }

    std::size_t rows() const {
        std::size_t count = 0;
        for (const Batch& batch : batches) {
            for (const auto& meter : batch.intervals) count += meter.rows.size();
        }
        return count;
    }

private:
    StoreOutcome commit(const Batch& batch) {
        if (down) return StoreOutcome::unavailable;
        if (batch.epoch < epochs[batch.concentrator]) return StoreOutcome::superseded;
        if (cursors[batch.journal] != batch.from) return StoreOutcome::lost_race;
        cursors[batch.journal] = batch.to;
        batches.push_back(batch);
        return StoreOutcome::stored;
    }
    void later(std::function<void()> done) {
        if (!mute) completions_.push_back(std::move(done));
    }
    std::deque<std::function<void()>> completions_;
};

}  // namespace wattmesh::headend::frontend
