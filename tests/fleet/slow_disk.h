#pragma once
#include <memory>
#include <string>

#include "concentrator/journal/journal_database.h"
#include "tests/fleet/chance.h"
#include "tests/fleet/timeline.h"

namespace wattmesh::fleet {

/// A concentrator's real SQLite journal behind the port, each call performed and answered after seeded
/// delays, in order. Destroying it is the crash: calls that were not performed yet are lost, as in a process
/// that died.
class SlowDisk final : public concentrator::JournalStore {
public:
    /// `answered` runs after each completion, so that the concentrator goes on.
    SlowDisk(Timeline& timeline, Chance& chance, std::unique_ptr<concentrator::JournalDatabase> database,
             std::function<void()> answered)
        : timeline_(timeline),
          chance_(chance),
          database_(std::move(database)),
          answered_(std::move(answered)) {}
    ~SlowDisk() override { *alive_ = false; }

    void commit(concentrator::Commit commit, Done<concentrator::Directory> done) override {
        call<concentrator::Directory>(
            [this, commit = std::move(commit)] { return database_->commit(commit); }, std::move(done));
    }
    void directory(Done<concentrator::Directory> done) override {
        call<concentrator::Directory>([this] { return database_->directory(); }, std::move(done));
    }
    void read(JournalId journal, Sequence after, std::uint32_t count, std::size_t octets_max,
              Done<std::vector<dcu::Entry>> done) override {
        call<std::vector<dcu::Entry>>(
            [=, this] { return database_->read(journal, after, count, octets_max); }, std::move(done));
    }
    void acknowledge(dcu::Acknowledgement acknowledgement, JournalId next,
                     Done<concentrator::AcknowledgeOutcome> done) override {
        call<concentrator::AcknowledgeOutcome>(
            [=, this] { return database_->acknowledge(acknowledgement, next); }, std::move(done));
    }
    void erase(Instant before, Done<concentrator::Directory> done) override {
        call<concentrator::Directory>([=, this] { return database_->erase(before); }, std::move(done));
    }
    void limit(std::uint32_t entries_max) override {
        call<int>([=, this] { return database_->limit(entries_max), 0; }, [](std::optional<int>) {});
    }
    void put_object(concentrator::StoredObject object, std::function<void(bool)> done) override {
        call<int>([=, this] { return database_->put_object(object), 0; },
                  [done = std::move(done)](std::optional<int>) { done(true); });
    }
    void put_mesh_state(Buffer state, std::function<void(bool)> done) override {
        call<int>([=, this] { return database_->put_mesh_state(state), 0; },
                  [done = std::move(done)](std::optional<int>) { done(true); });
    }
    void put_image(concentrator::ImageChange change, std::function<void(bool)> done) override {
        call<int>([=, this] { return database_->put_image(change), 0; },
                  [done = std::move(done)](std::optional<int>) { done(true); });
    }
    void reserve_counters(std::vector<concentrator::CounterRequest> meters, std::uint32_t block,
                          Done<std::vector<concentrator::CounterBlock>> done) override {
        call<std::vector<concentrator::CounterBlock>>(
            [=, this] { return database_->reserve_counters(meters, block); }, std::move(done));
    }

private:
    template <class Answer>
    void call(std::function<Answer()> work, Done<Answer> done) {
        using namespace std::chrono_literals;
        // One disk: a call is never answered before the one that came earlier.
        performed_ = std::max(performed_, timeline_.now()) + chance_.between(200us, 12ms);
        const auto answered = performed_ + chance_.between(50us, 2ms);
        timeline_.at(performed_,
                     [this, alive = alive_, answered, work = std::move(work), done = std::move(done)] {
                         if (!*alive) return;
                         timeline_.at(answered, [this, alive, answer = std::optional<Answer>{work()}, done] {
                             if (!*alive) return;
                             done(answer);
                             if (*alive) answered_();
                         });
                     });
        performed_ = answered;
    }

    Timeline& timeline_;
    Chance& chance_;
    std::unique_ptr<concentrator::JournalDatabase> database_;
    std::function<void()> answered_;
    std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
    Instant performed_{};
};

}  // namespace wattmesh::fleet
