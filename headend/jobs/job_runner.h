#pragma once
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "headend/database/jobs.h"
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
    /// Items of one job in hand at once.
    virtual int at_once() const = 0;
    /// Does an item; `done` comes once, at once or later, or never when the process stops. An item may be
    /// asked for again after a crash: doing it twice must do no harm.
    virtual void work(const database::Job& job, const database::JobItem& item, Done done) = 0;
};

struct JobRunnerSettings {
    std::string owner;                             ///< names this process among all
    Duration look_real = std::chrono::seconds{1};  ///< between looks at the table
    Duration claim = std::chrono::minutes{30};     ///< simulated; renewed at every look
    int jobs_at_once = 8;
};

/// Does the jobs of the kinds it knows, also those an earlier process left half done. Pausing and cancelling
/// are done in the table: the runner finds out at its next look, and what it has in hand is still stored.
class JobRunner {
public:
    /// The references outlive this object.
    JobRunner(platform::Loop& loop, JobRunnerSettings settings, database::QueryQueue& queue,
              const std::vector<JobKind*>& kinds);
    ~JobRunner();
    void start();
    void stop();

private:
    struct Open {
        database::Job job;
        JobKind* kind = nullptr;
        std::set<int> in_hand;
        bool asking = false;
    };
    void look();
    void take(const std::vector<database::Job>& jobs);
    void fill(database::JobId id);
    void begin(database::JobId id, const std::vector<database::JobItem>& items);
    void ended(database::JobId id, int place, const database::ItemOutcome& outcome);

    platform::Loop& loop_;
    const JobRunnerSettings settings_;
    database::QueryQueue& queue_;
    std::map<std::string, JobKind*> kinds_;
    std::map<database::JobId, Open> open_;
    platform::Log log_;
    platform::Timer timer_;
    std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace wattmesh::headend::jobs
