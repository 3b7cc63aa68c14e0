#pragma once
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "headend/frontend/caller_ports.h"
#include "headend/frontend/guard.h"
#include "headend/monitor/on_demand.h"
#include "headend/monitor/push_values.h"
#include "headend/monitor/task_plan.h"

namespace wattmesh::headend::monitor {

struct DirectReadingSettings {
    struct Profile {
        ObisCode profile;
        Duration period{}, delay{}, depth{};
    };
    std::vector<Profile> profiles;
    std::vector<ObisCode> registers{obis::active_import_total};
    Duration registers_every = std::chrono::hours{1};
    std::uint32_t rows_max = 96;                     ///< asked for in one request
    std::size_t devices_at_once = 32;                ///< of this process
    std::size_t pushes_max = 8;                      ///< of one device that wait
    Duration answer_max = std::chrono::minutes{10};  ///< of store, keys or meter; then it is tried anew
    Duration retry_first = std::chrono::seconds{30}, retry_longest = std::chrono::minutes{15};
};

struct DirectReadingCounters {
    std::uint64_t rows = 0, batches = 0, registers = 0, pushes = 0, pushes_refused = 0, pushes_dropped = 0,
                  failures = 0, lost_races = 0, rejected = 0;
};

/// Reads meters that call in by themselves, by plan, as management client in the role of a reader, over the
/// road of reads on demand; and takes what they push. Rows go where a concentrator's go: each profile of such
/// a meter is a journal whose sequence is the number of the interval, so that the store's cursor says how far
/// it was read and a batch counts once, whatever stops in between. One thread.
class DirectReading : public frontend::CallerWork {
public:
    struct Ports {
        OnDemand& on_demand;
        KeyService& keys;
        frontend::Store& store;
        /// A register's value as it was read or pushed, best effort.
        std::function<void(DeviceNumber meter, const PushedValue& value, Instant at, const char* source)> put;
        /// The store knows a newer session.
        std::function<void(DeviceNumber meter, OwnerEpoch epoch)> superseded;
        std::function<void(const std::string& line)> log;
        std::function<Instant()> now;
    };
    DirectReading(DirectReadingSettings settings, Ports ports);
    ~DirectReading() override;

    void admitted(DeviceNumber device, OwnerEpoch epoch, link::Carried carries) override;
    void ended(DeviceNumber device) override;
    void pushed(DeviceNumber device, OwnerEpoch epoch, Buffer apdu, Instant now) override;
    /// Begins what is due; about once a second.
    void tick(Instant now);

    std::size_t busy() const { return plan_.count(TaskState::begun); }
    const DirectReadingCounters& counters() const { return counters_; }
    /// The journal under which the rows of a profile of such a meter are stored.
    static JournalId journal_of(DeviceNumber meter, const ObisCode& profile);

private:
    struct Device;
    struct Push {
        Buffer apdu;
        Instant at{};
    };
    void next_step(Device& device);
    void begin_profile(Device& device);
    void read_rows(Device& device);
    void on_rows(Device& device, const OnDemandResult& result, Instant to);
    void store(Device& device, frontend::Batch batch, std::function<void(Device&)> then);
    void read_register(Device& device);
    void begin_push(Device& device);
    void on_plain_push(Device& device, const Push& push, Bytes plain, bool authentic);
    void put_push(Device& device, const Push& push, Bytes plain, const std::string& refusal);
    void take_values(Device& device);
    void ask_scaler(Device& device, std::vector<PushedValue> values, std::size_t index, Instant at);
    void fail(Device& device, const std::string& what);
    void finish(Device& device, Instant due);
    frontend::Batch batch_for(const Device& device, const ObisCode& profile) const;

    DirectReadingSettings settings_;
    Ports ports_;
    std::map<DeviceNumber, std::unique_ptr<Device>> devices_;
    TaskPlan plan_;  ///< a task for each device
    ScheduleId schedule_;
    std::vector<Device*> by_task_;
    DirectReadingCounters counters_;
};

}  // namespace wattmesh::headend::monitor
