#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "headend/database/audit_log.h"
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
    bool open() const { return state != JobState::cancelled && state != JobState::done; }
};

enum class ItemState { waiting, done, failed, cancelled };
std::string_view to_string(ItemState state);
std::optional<ItemState> parse_item_state(std::string_view word);

struct JobItem {
    int place = 0;
    std::string subject;
    ItemState state = ItemState::waiting;
    std::string detail;
    int attempts = 0;
    std::optional<Instant> finished;
};

struct JobFile {
    std::string name, media_type;
    Buffer content;
};

/// How an item ended, or when to try it again.
struct ItemOutcome {
    ItemState state = ItemState::done;  ///< waiting: again at `again`
    std::string detail;
    Instant again{};
    std::optional<JobFile> file{};       ///< what the item made, if anything; of one item of a job only
    std::optional<AuditRecord> audit{};  ///< goes to the log in the transaction that stores the outcome
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

/// Tables job, job_item and job_file. What is finished is never done again; what a process had in hand when
/// it stopped is.
class Jobs {
public:
    static constexpr int items_max = 100'000, attempts_max = 5;

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
    /// Subjects of the items that ended well and were not so before (detail without " already").
    std::vector<std::string> changed(JobId id);
    /// Cancels every open job of the kind; how many.
    int cancel_all(const std::string& kind, TenantId tenant, Instant now);
    /// Items that wait are cancelled; false when the job is over.
    bool cancel(JobId id, Instant now);

    /// Takes or keeps up to `most` open jobs of the kinds for the process `owner`, until `until`; jobs of
    /// another living process are left alone. What is past its deadline ends here.
    std::vector<Job> claim(const std::vector<std::string>& kinds, const std::string& owner, Instant now,
                           Instant until, int most);
    /// Items that may be done now, in order of place.
    std::vector<JobItem> due(JobId id, Instant now, int count);
    /// Notes, before it is begun, what an item is about to do: whoever takes it after a crash finds it in the
    /// detail. False when it does not wait any more: it was cancelled meanwhile and must not be begun.
    bool note(JobId id, int place, const std::string& detail);
    /// Stores an item's outcome and counts it; nothing happens when it was stored before or the job was
    /// cancelled. The job ends with its last item. True when it has ended.
    bool finish(JobId id, int place, const ItemOutcome& outcome, Instant now);

private:
    bool end_if_over(JobId id, Instant now);

    Connection& connection_;
};

}  // namespace wattmesh::headend::database
