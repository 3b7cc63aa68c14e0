#pragma once
#include <memory>

#include "concentrator/journal/journal_store.h"

namespace wattmesh::concentrator {

/// The store as the core's parts see it: nothing comes back once the core is gone, and whoever wants it hears
/// what the journals look like.
class CoreStore final : public JournalStore {
public:
    CoreStore(JournalStore& store, std::function<void(const Directory&)> changed)
        : store_(store), changed_(std::move(changed)) {}

    void commit(Commit commit, Done<Directory> done) override {
        store_.commit(std::move(commit),
                      guard<Directory>([this, done = std::move(done)](std::optional<Directory> directory) {
                          if (directory) changed_(*directory);
                          done(std::move(directory));
                      }));
    }
    void directory(Done<Directory> done) override { store_.directory(guard<Directory>(std::move(done))); }
    void read(JournalId journal, Sequence after, std::uint32_t count, std::size_t octets_max,
              Done<std::vector<dcu::Entry>> done) override {
        store_.read(journal, after, count, octets_max, guard<std::vector<dcu::Entry>>(std::move(done)));
    }
    void acknowledge(dcu::Acknowledgement acknowledgement, JournalId next,
                     Done<AcknowledgeOutcome> done) override {
        store_.acknowledge(acknowledgement, next, guard<AcknowledgeOutcome>(std::move(done)));
    }
    void erase(Instant before, Done<Directory> done) override {
        store_.erase(before, guard<Directory>(std::move(done)));
    }
    void limit(std::uint32_t entries_max) override { store_.limit(entries_max); }
    void put_object(StoredObject object, std::function<void(bool)> done) override {
        store_.put_object(std::move(object), guard_plain(std::move(done)));
    }
    void put_mesh_state(Buffer state, std::function<void(bool)> done) override {
        store_.put_mesh_state(std::move(state), guard_plain(std::move(done)));
    }
    void put_image(ImageChange change, std::function<void(bool)> done) override {
        store_.put_image(std::move(change), guard_plain(std::move(done)));
    }
    void reserve_counters(std::vector<CounterRequest> meters, std::uint32_t block,
                          Done<std::vector<CounterBlock>> done) override {
        store_.reserve_counters(std::move(meters), block, guard<std::vector<CounterBlock>>(std::move(done)));
    }

private:
    template <class T>
    Done<T> guard(Done<T> done) {
        return [alive = std::weak_ptr<int>(alive_), done = std::move(done)](std::optional<T> result) {
            if (!alive.expired()) done(std::move(result));
        };
    }
    std::function<void(bool)> guard_plain(std::function<void(bool)> done) {
        return [alive = std::weak_ptr<int>(alive_), done = std::move(done)](bool result) {
            if (!alive.expired()) done(result);
        };
    }

    JournalStore& store_;
    std::function<void(const Directory&)> changed_;
    std::shared_ptr<int> alive_ = std::make_shared<int>(0);
};

}  // namespace wattmesh::concentrator
