#pragma once
#include <Poco/Util/Subsystem.h>

#include <memory>
#include <set>
#include <string>

#include "headend/console/console.h"
#include "headend/database/counter_blocks.h"
#include "headend/desired_objects.h"
#include "headend/enroller.h"
#include "headend/firmware_images.h"
#include "headend/live_port.h"
#include "headend/monitor/direct_reading.h"
#include "headend/monitor/modbus_reading.h"
#include "headend/monitor/pg_key_service.h"
#include "headend/monitor/pg_rotation_desk.h"
#include "headend/monitor/rotation_work.h"
#include "headend/monitor/terminal_reading.h"
#include "headend/revocations.h"
#include "headend/settings.h"
#include "platform/worker_queue.h"

namespace wattmesh::headend {

/// Hands devices of other makes to whoever reads them in this process; without a monitor nobody does.
struct CallerDesk final : frontend::CallerWork {
    void admitted(DeviceNumber device, OwnerEpoch epoch, link::Carried carries) override {
        auto* const reader = carries == link::Carried::wrapper  ? reading
                             : carries == link::Carried::gdw376 ? terminals
                                                                : polling;
        if (reader != nullptr) reader->admitted(device, epoch, carries);
    }
    void ended(DeviceNumber device) override {
        if (reading != nullptr) reading->ended(device);
        if (polling != nullptr) polling->ended(device);
        if (terminals != nullptr) terminals->ended(device);
    }
    void pushed(DeviceNumber device, OwnerEpoch epoch, Buffer apdu, Instant now) override {
        // Each knows its own.
        if (terminals != nullptr) terminals->pushed(device, epoch, apdu, now);
        if (reading != nullptr) reading->pushed(device, epoch, std::move(apdu), now);
    }
    frontend::CallerWork* reading = nullptr;    ///< of those that speak DLMS
    frontend::CallerWork* polling = nullptr;    ///< of those that carry Modbus
    frontend::CallerWork* terminals = nullptr;  ///< of Q/GDW 376.1 terminals
};

/// What the roles of one process share. Belongs to the loop's thread unless it says otherwise.
struct Plant {
    Plant(HeadendSettings settings, std::shared_ptr<const platform::Clock> clock);
    /// Something moved sessions from outside: the front-end acts on it soon.
    void pump();

    HeadendSettings settings;
    std::shared_ptr<const platform::Clock> clock;
    platform::Loop loop;
    security::OpensslCiphers ciphers;
    security::SystemRandom random;
    std::unique_ptr<const security::MasterKey> master;
    platform::Log log;
    LivePort live;
    frontend::Listener* listener = nullptr;  ///< while the front-end role runs in this process
    frontend::Core* core = nullptr;
    frontend::CallerListener* caller_listener = nullptr;
    frontend::CallerCore* callers = nullptr;
    frontend::Store* store = nullptr;
    CallerDesk caller_desk;
    monitor::Monitor* monitor = nullptr;  ///< while the monitor role runs in this process
    monitor::OnDemand* on_demand = nullptr;
};

/// Threads with database connections of one role. After each completion the front-end acts on what it
/// brought.
class DatabaseWorkers : private platform::Executor {
public:
    DatabaseWorkers(Plant& plant, const std::string& role, std::size_t threads);
    database::QueryQueue& queue() { return queue_; }

private:
    bool try_post(std::function<void()> job, Completion completion) override;

    Plant& plant_;
    platform::WorkerQueue workers_;
    database::QueryQueue queue_;
};

/// Puts a register's value where reads on demand put theirs.
void put_register(database::QueryQueue& queue, DeviceNumber meter, const monitor::PushedValue& value,
                  Instant at, const char* source);

class ReportDesk;

/// Communication server: links of concentrators, journals into the store.
class FrontendRole : public Poco::Util::Subsystem {
public:
    explicit FrontendRole(Plant& plant);
    ~FrontendRole() override;
    const char* name() const override { return "frontend"; }

protected:
    void initialize(Poco::Util::Application& application) override;
    void uninitialize() override;

private:
    void dial();
    struct Parts;
    Plant& plant_;
    std::unique_ptr<Parts> parts_;
};

/// Desired state, gaps, aggregates, reads on demand.
class MonitorRole : public Poco::Util::Subsystem {
public:
    explicit MonitorRole(Plant& plant);
    ~MonitorRole() override;
    const char* name() const override { return "monitor"; }

protected:
    void initialize(Poco::Util::Application& application) override;
    void uninitialize() override;

private:
    void read_direct_meters();
    void poll_buses();
    void read_terminals();
    void wake_buses();
    void tick_direct();
    struct Parts;
    Plant& plant_;
    std::unique_ptr<Parts> parts_;
};

/// API and pages.
class ConsoleRole : public Poco::Util::Subsystem {
public:
    explicit ConsoleRole(Plant& plant);
    ~ConsoleRole() override;
    const char* name() const override { return "console"; }
    /// From any thread, while the loop still runs: handlers that wait for it get their answer.
    void stop();

protected:
    void initialize(Poco::Util::Application& application) override;
    void uninitialize() override;

private:
    Plant& plant_;
    std::unique_ptr<console::Console> console_;
    std::unique_ptr<ReportDesk> reports_;  ///< belongs to the loop
};

/// Outstations for control rooms.
class ExchangeRole : public Poco::Util::Subsystem {
public:
    explicit ExchangeRole(Plant& plant);
    ~ExchangeRole() override;
    const char* name() const override { return "exchange"; }

protected:
    void initialize(Poco::Util::Application& application) override;
    void uninitialize() override;

private:
    struct Parts;
    Plant& plant_;
    std::unique_ptr<Parts> parts_;  ///< none: nothing is configured
};

/// Runs the named roles until SIGTERM or SIGINT.
int serve(HeadendSettings settings, std::shared_ptr<const platform::Clock> clock,
          const std::set<std::string>& roles);

}  // namespace wattmesh::headend
