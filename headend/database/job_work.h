#pragma once
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "headend/database/audit_log.h"
#include "headend/database/jobs.h"

namespace wattmesh::headend::database {

/// How an item ended, or when to try it again.
struct ItemOutcome {
    ItemState state = ItemState::done;  ///< waiting: again at `again`
    std::string detail;
    Instant again{};
    std::optional<JobFile> file{};       ///< what the item made, if anything; of one item of a job only
    std::optional<AuditRecord> audit{};  ///< goes to the log in the transaction that stores the outcome
    bool sent = false;                   ///< a command may have reached the meter; once true it stays true
    bool counts = true;                  ///< waiting: as one of the attempts; else only the deadline ends it
    std::function<void(Connection&)> also{};  ///< done in the same transaction, whatever became of the item
};

/// How many jobs of one kind a process does at once.
struct KindSlots {
    std::string kind;
    int slots = 0;
};

/// A job that the process holds.
struct HeldJob : Job {
    bool begins = false;  ///< more of its items may be begun; else only what is in hand is ended
};

/// The tables of jobs for one process that does them, named `owner`. What a process has in hand is
/// `working` until it is stored: cancelling and deadlines leave it alone. What is finished is never done
/// again; what a process had in hand when it died is taken up by the next one.
class JobWork {
public:
    static constexpr int attempts_max = 5;

    JobWork(Connection& connection, std::string owner) : connection_(connection), owner_(std::move(owner)) {}

    /// Takes or keeps jobs until `until`: those that this process has items of in hand, and of each kind the
    /// first ones, by priority and age, that have something to do now. Jobs of another living process are
    /// left alone. What is past its deadline ends here. Wants a transaction.
    std::vector<HeldJob> claim(const std::vector<KindSlots>& kinds, Instant now, Instant until);
    /// Begins up to `count` items that may be done now, in order of place: they are `working` from here on.
    /// First those that a dead process began. `in_hand` are left alone. Nothing when the job is not held,
    /// only the dead one's when it does not run. `until`: when the next process may think that we died. Wants
    /// a transaction.
    std::vector<JobItem> begin(JobId id, Instant now, Instant until, int count, const std::set<int>& in_hand);
    /// Stores the outcome of an item in hand and counts it, also of a job that was cancelled meanwhile (an
    /// item that would wait is cancelled then). Of an item that another process took up only the audit record
    /// is kept; telling twice does nothing. The job ends with its last item. True when it has ended. Wants a
    /// transaction.
    bool finish(JobId id, int place, const ItemOutcome& outcome, Instant now);
    /// The process ends: what it holds and has in hand is anybody's at once. Owns its transaction.
    void release();

private:
    void end_late(const std::string& kinds, Instant now);
    bool end_if_over(JobId id, Instant now);

    Connection& connection_;
    const std::string owner_;
};

}  // namespace wattmesh::headend::database
