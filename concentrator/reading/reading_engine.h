#pragma once
#include <deque>
#include <map>
#include <memory>

#include "concentrator/journal/journal_store.h"
#include "concentrator/reading/meter_talk.h"
#include "concentrator/reading/read_window.h"
#include "concentrator/reading/trusted_clock.h"

namespace wattmesh::concentrator {

struct EngineSettings {
    SystemTitle own_title;  ///< the concentrator's: never the head-end's
    int window = 6;         ///< meters read at once
    std::uint32_t counter_block = 256, counter_low = 32;
    Duration answer_deadline = std::chrono::seconds{60};
    std::size_t ranges_max = 8'192;  ///< pending ranges of all meters
};

/// A meter of the list with its keys, if it has any.
struct KeyedMeter {
    dcu::ListedMeter listed;
    std::optional<MeterKeys> keys;
};

/// One application message for the mesh: sap u8 | APDU. Exactly one answered() or failed() for that meter
/// follows.
struct ReadRequest {
    DeviceNumber meter;
    Buffer payload;
    Duration deadline{};
};

struct ReadingCounts {
    std::uint64_t requests = 0, rows_journalled = 0, empty_answers = 0, failures = 0, commits_refused = 0;
};

/// Reads the planned profiles of the listed meters into the journal, sans-IO. The newest round comes first
/// for every meter, then what was left behind and what the head-end asked for. Per meter one thing at a time;
/// the next read waits until the last one is durable, so the read position and the journal never disagree.
class ReadingEngine {
public:
    /// `store` gives its answers on the loop and none after this object is gone (see core.h).
    ReadingEngine(EngineSettings settings, JournalStore& store, Ciphers& ciphers, Random& random,
                  const Recovered& recovered);
    ~ReadingEngine();

    void set_meters(const std::vector<KeyedMeter>& meters);
    void set_plan(const dcu::ReadingPlan& plan);
    /// Ranges of unlisted meters or unplanned profiles are passed over. `done(false)`: not stored, or too
    /// many are pending.
    void backfill(const std::vector<dcu::BackfillRange>& ranges, std::function<void(bool)> done);

    void tick(const Now& now);
    void answered(const DeviceNumber& meter, Bytes payload, const Now& now);
    void failed(const DeviceNumber& meter, dcu::ReadFault reason, const Now& now);
    void joined(const DeviceNumber& meter, const Now& now);
    std::optional<ReadRequest> take_request();
    /// Steady time; after each tick.
    Instant next_deadline() const { return deadline_; }

    /// Another talk wants this meter: own reads of it wait until `until` (steady).
    void hold(const DeviceNumber& meter, Instant until);
    bool reading(const DeviceNumber& meter) const;
    const ReadingCounts& counts() const { return counts_; }

private:
    enum class JobKind : std::uint8_t { newest, range, oldest };
    struct Job {
        JobKind kind{};
        std::size_t profile = 0;
        Window window;
        std::optional<Window> left_behind;
        PendingRange range;
    };
    /// What is durable, of every meter and profile ever read.
    struct Progress {
        Instant position{};
        std::vector<PendingRange> ranges;
        bool committing = false;  ///< a change is on its way to the disk
    };
    struct Retry {
        int attempts = 0;
        Instant at{};  ///< steady
    };
    struct Profile {
        dcu::PlannedProfile plan;
        Progress* progress = nullptr;
        Instant round{};  ///< end of the round that `newest`, `fault` and `reported` are about
        Retry newest, pending;
        std::optional<dcu::ReadFault> fault;
        bool reported = false;
        bool oldest_known = false;
    };
    struct Meter {
        dcu::ListedMeter listed;
        std::unique_ptr<MeterTalk> talk;
        std::vector<Profile> profiles;
        std::optional<Job> job;
        bool on_air = false;  ///< a request of ours has neither answer nor failure yet
        Instant held_until{}, served{};
    };
    struct Candidate;
    using Key = std::pair<DeviceNumber, ObisCode>;

    void load_profiles(Meter& meter);
    void skip_stored(Meter& meter);
    void drop_job(Meter& meter);
    void begin_rounds(Meter& meter);
    void report(const Meter& meter, Profile& profile, dcu::ReadFault fault);
    void reserve_counters();
    bool start_next();
    Instant ready_at(const Meter& meter, const Profile& profile, JobKind kind) const;
    Job make_job(const Profile& profile, std::size_t index, JobKind kind) const;
    void start(Meter& meter, const Job& job);
    void pump(Meter& meter);
    void completed(Meter& meter, const dlms::ReadOutcome& outcome);
    void newest_read(Meter& meter, const Job& job, const dlms::Data& rows);
    void range_read(Meter& meter, const Job& job, const dlms::Data& rows);
    void oldest_read(Meter& meter, const Job& job, const dlms::Data& rows);
    void lost(Meter& meter, dcu::ReadFault fault);
    void submit(const Meter& meter, const Profile& profile, Commit commit,
                std::function<void(Progress&)> stored);
    PendingRange new_range(const DeviceNumber& meter, const ObisCode& profile, const Window& window);
    Profile* find(const Key& key);
    void set_deadline();
    Instant backed_off(int attempts) const;

    EngineSettings settings_;
    JournalStore& store_;
    Ciphers& ciphers_;
    Random& random_;
    dcu::ReadingPlan plan_;
    std::map<DeviceNumber, Meter> meters_;
    std::map<Key, Progress> progress_;
    std::uint64_t range_id_ = 0;
    int on_air_ = 0;
    Instant reserve_again_{};
    std::deque<ReadRequest> requests_;
    Now now_;
    Instant deadline_{};
    ReadingCounts counts_;
};

}  // namespace wattmesh::concentrator
