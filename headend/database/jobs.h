#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "headend/database/scope.h"
#include "protocol/base/bytes.h"

namespace wattmesh::headend::database {

using JobId = Id<struct JobTag, std::int64_t>;

/// proposed: waits for a second person.
enum class JobState { queued, running, paused, cancelled, done, proposed };
std::string_view to_string(JobState state);

struct Job {
    JobId id;
    Scope scope;  ///< what the one who asked may see: what the work may touch
    std::string kind, title;
    std::string parameters;  ///< JSON, the kind's own
    std::string requested_by, reason;
    std::optional<std::string> approved_by{};
    int priority = 0;  ///< greater ones are done first
    JobState state = JobState::queued;
    int total = 0, done = 0, failed = 0;
    Instant created{};
    std::optional<Instant> started, finished;
    Instant deadline{};
    int working = 0;  ///< items that somebody has in hand, also of a job that was cancelled
    bool open() const { return state != JobState::cancelled && state != JobState::done; }
    /// Nothing of it is done any more.
    bool over() const { return !open() && working == 0; }
};

enum class ItemState { waiting, working, done, failed, cancelled };
std::string_view to_string(ItemState state);
std::optional<ItemState> parse_item_state(std::string_view word);

struct JobItem {
    int place = 0;
    std::string subject;
    ItemState state = ItemState::waiting;
    std::string detail;
    int attempts = 0;
    std::optional<Instant> finished;
    /// Somebody began it and did not live to tell: what it does may have been done.
    bool taken_up = false;
    bool sent = false;  ///< a command may have reached the meter
};

struct JobFile {
    std::string name, media_type;
    Buffer content;
};

/// Which meters an order may be about: those the connection shows.
class JobSubjects {
public:
    explicit JobSubjects(Connection& connection) : connection_(connection) {}
    /// By number.
    std::vector<DeviceNumber> of_concentrator(DeviceNumber concentrator, bool customers_only = false);
    /// Those of `numbers` that are there, by number.
    std::vector<DeviceNumber> known(const std::vector<DeviceNumber>& numbers);
    /// Whether every meter of the job lies within what the connection shows.
    bool sees_all(JobId id);

private:
    Connection& connection_;
};

/// Tables job, job_item and job_file, for those who order, watch and steer (who does the work: job_work.h).
class Jobs {
public:
    static constexpr int items_max = 100'000;

    explicit Jobs(Connection& connection) : connection_(connection) {}

    /// Orders `job` (kind, title, parameters, requested_by, reason, scope, state queued or proposed, created,
    /// deadline) for the subjects, at most items_max.
    JobId add(const Job& job, const std::vector<std::string>& subjects);
    std::optional<Job> find(JobId id);
    /// Newest first, of the tenant of `scope`; without `everybody` only those of `requested_by`.
    std::vector<Job> list(const Scope& scope, bool everybody, const std::string& requested_by, int count);
    /// Places [from, from + count) of one state, or of all.
    std::vector<JobItem> items(JobId id, std::optional<ItemState> state, int from, int count);
    std::optional<JobFile> file(JobId id);

    /// From queued or running to paused; false when it is neither.
    bool pause(JobId id);
    bool resume(JobId id);
    /// From proposed to queued; false when it is not proposed.
    bool approve(JobId id, const std::string& by);
    /// Subjects of the items of which a command may have reached the meter, however they ended.
    std::vector<std::string> changed(JobId id);
    /// Cancels every open job of the kind; how many.
    int cancel_all(const std::string& kind, TenantId tenant, Instant now);
    /// Items that wait are cancelled, those in hand are still done and stored; false when it is not open.
    bool cancel(JobId id, Instant now);

private:
    Connection& connection_;
};

}  // namespace wattmesh::headend::database
