#pragma once
#include <map>
#include <set>
#include <vector>

#include "headend/frontend/association.h"
#include "headend/frontend/batch.h"
#include "headend/frontend/guard.h"
#include "headend/frontend/store.h"

namespace wattmesh::headend::frontend {

struct ReplicationSettings {
    std::uint32_t entries_per_request = 200;
    Duration poll = std::chrono::seconds{60};  ///< looks at the directory even when nothing was announced
    Duration backoff_first = std::chrono::seconds{1}, backoff_longest = std::chrono::seconds{60};
    Duration store_timeout = std::chrono::seconds{120};  ///< then an unanswered store call counts as lost
    ProfilePeriods periods{{obis::load_profile, std::chrono::seconds{900}},
                           {obis::daily_profile, std::chrono::days{1}}};
};

struct ReplicationCounters {
    std::uint64_t entries = 0, rows = 0, rejected = 0, batches = 0;
    std::uint64_t malformed_answers = 0, stale_rows = 0, lost_races = 0, unavailable = 0, beyond_end = 0,
                  refused_acks = 0;
};

/// Copies a concentrator's journals into the store (design 2.3), oldest journal first:
///
///   directory -> cursor (store) -> GET the next entries -> decode -> store -> acknowledge -> GET ... -> next
///   journal -> idle
///
/// One batch is held at a time; while the store cannot take it nothing more is asked for. Whatever crashes
/// where, the cursor's compare-and-set in the store makes every entry count once.
class Replication {
public:
    Replication(DeviceNumber concentrator, OwnerEpoch epoch, Association& association, Store& store,
                const ReplicationSettings& settings, const Instant& now);

    /// The journal grew; `directory` is the notification's body.
    void notify(const dlms::Data& directory);
    void tick();
    /// The link ended: no completion is listened to any more.
    void cancel();
    /// A newer session owns the concentrator.
    bool superseded() const { return superseded_; }
    bool idle() const { return step_ == Step::idle; }
    const ReplicationCounters& counters() const { return counters_; }

private:
    enum class Step : std::uint8_t { idle, asking, storing, waiting };
    void read_directory();
    void on_directory(const dlms::Data& directory);
    void next_journal();
    void ask_cursor();
    void on_cursor(std::optional<Sequence> cursor);
    void fetch();
    void on_entries(const std::optional<dlms::ReadOutcome>& outcome, Sequence cursor);
    void store();
    void on_stored(StoreOutcome outcome);
    void acknowledge(Sequence sequence);
    void acknowledge_beyond();
    void wait(void (Replication::*retry)());
    void give_up_answer();

    DeviceNumber concentrator_;
    OwnerEpoch epoch_;
    Association& association_;
    Store& store_;
    const ReplicationSettings& settings_;
    const Instant& now_;
    Instant opened_;

    Step step_ = Step::idle;
    Instant since_;                           ///< of this step
    Instant until_;                           ///< waiting: when to go on
    void (Replication::*retry_)() = nullptr;  ///< waiting: how to go on
    bool again_ = true;                       ///< the directory is to be read once more
    std::vector<dcu::JournalInfo> journals_;  ///< still to drain, oldest first
    std::map<JournalId, Sequence>
        cursors_;  ///< as the store has them; ours alone while this epoch owns the concentrator
    std::set<JournalId> told_beyond_;
    std::optional<Batch> batch_;
    Guard store_guard_, link_guard_;
    Backoff backoff_;
    ReplicationCounters counters_;
    bool superseded_ = false;
};

}  // namespace wattmesh::headend::frontend
