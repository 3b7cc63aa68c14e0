#pragma once
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "headend/database/job_work.h"
#include "headend/database/query_queue.h"
#include "platform/log.h"
#include "platform/loop.h"

namespace wattmesh::headend::jobs {

/// How one kind of job does its items. One thread: the loop's.
class JobKind {
public:
    using Done = std::function<void(database::ItemOutcome)>;

    virtual ~JobKind() = default;
    virtual std::string name() const = 0;
    /// Jobs of the kind at once: those in front by priority and age that have something to do.
    virtual int jobs_at_once() const { return 8; }
    /// Items of one job in hand at once.
    virtual int at_once() const = 0;
    /// Does an item, which is noted as begun; `done` comes once, at once or later, or never when the process
    /// stops. `item.taken_up`: somebody began it and did not live to tell, so that it may be done already;
    /// then the job may be cancelled, and nothing is done but finding out.
    virtual void work(const database::Job& job, const database::JobItem& item, Done done) = 0;
};

struct JobRunnerSettings {
    std::string owner;                             ///< names this process among all
    Duration look_real = std::chrono::seconds{1};  ///< between looks at the table
    /// Real; renewed at every look. Whoever does not look for so long loses its jobs to another process ...
    Duration claim_real = std::chrono::seconds{30};
    /// ... and, simulated and from their beginning on, the items that it has in hand. Above what a talk with
    /// a meter takes.
    Duration in_hand = std::chrono::minutes{10};
};

/// Does the jobs of the kinds it knows, also those an earlier process left half done. Pausing and cancelling
/// are done in the table: the runner finds out at its next look, and what it has in hand is still stored.
class JobRunner {
public:
    /// The references outlive this object; the queue has two threads or more, so that looks go on while an
    /// item waits for the database.
    JobRunner(platform::Loop& loop, JobRunnerSettings settings, database::QueryQueue& queue,
              const std::vector<JobKind*>& kinds);
    ~JobRunner();
    void start();
    /// Lets go of everything at once: the next process need not wait until the claim ends.
    void stop();

private:
    struct Open {
        database::HeldJob job;
        JobKind* kind = nullptr;
        std::set<int> in_hand;
        bool asking = false;
    };
    struct Ended {
        database::JobId job;
        int place = 0;
        database::ItemOutcome outcome;
    };
    void look();
    void take(const std::vector<database::HeldJob>& jobs);
    void fill(database::JobId id);
    void begin(database::JobId id, const std::vector<database::JobItem>& items);
    void store(const Ended& ended);

    platform::Loop& loop_;
    const JobRunnerSettings settings_;
    database::QueryQueue& queue_;
    std::map<std::string, JobKind*> kinds_;
    std::map<database::JobId, Open> open_;
    std::vector<Ended> unstored_;  ///< the database was away
    bool looking_ = false;
    platform::Log log_;
    platform::Timer timer_;
    std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace wattmesh::headend::jobs
