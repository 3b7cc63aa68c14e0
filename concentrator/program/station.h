#pragma once
#include <chrono>

#include "concentrator/core.h"
#include "concentrator/journal/queued_store.h"
#include "concentrator/program/identity.h"
#include "concentrator/program/machine_ports.h"
#include "platform/cellular.h"
#include "platform/connector.h"
#include "platform/log.h"
#include "platform/settings.h"
#include "platform/worker_queue.h"

namespace wattmesh::concentrator {

struct StationSettings {
    std::vector<platform::HostPort> headends;  ///< the primary one, and those to go to when it is away
    platform::HostPort radio;
    std::optional<platform::CellularSettings> modem{};
    MachineSettings machines{};
    double speed = 1;
};

/// A core with its sockets, its timer and its disk. Lives on the loop's thread.
class Station {
public:
    Station(platform::Loop& loop, StationSettings settings, Identity identity, IdentityFiles& files,
            Ciphers& ciphers, Random& random);
    ~Station();
    Station(const Station&) = delete;
    Station& operator=(const Station&) = delete;

    void start();
    /// Where it listens for vending machines; 0: nowhere.
    std::uint16_t machine_port() const { return machines_.port(); }

private:
    /// After every completion of the disk the core goes on.
    struct PumpingExecutor final : platform::Executor {
        PumpingExecutor(platform::Executor& executor, std::function<void()> pump)
            : inner(executor), after(std::move(pump)) {}
        bool try_post(std::function<void()> job, Completion completion) override {
            return inner.try_post(std::move(job),
                                  [this, completion = std::move(completion)](std::exception_ptr failure) {
                                      completion(std::move(failure));
                                      after();
                                  });
        }
        platform::Executor& inner;
        std::function<void()> after;
    };

    Duration elapsed() const;
    CoreSettings core_settings();
    void install_certificate(const Buffer& der, const std::function<void(bool)>& done);
    void open_uplink(std::size_t way);
    void probe_uplink(std::size_t way);
    platform::ConnectorSettings uplink_settings(std::size_t way);
    void connect_radio();
    void start_modem();
    void look_at_modem();
    void pump();
    void perform(const Action& action);

    platform::Loop& loop_;
    StationSettings settings_;
    Identity identity_;
    IdentityFiles& files_;
    Random& random_;
    platform::Log log_{"concentrator"};
    std::chrono::steady_clock::time_point start_;
    CertificateOffice office_;
    std::shared_ptr<const security::TlsContext> tls_;
    JournalDatabase database_;
    platform::WorkerQueue disk_;
    PumpingExecutor executor_;
    QueuedStore store_;
    Core core_;
    platform::Timer timer_;
    platform::Connector radio_;
    MachinePorts machines_;
    std::unique_ptr<platform::Cellular> modem_;  ///< before what dials through it
    std::unique_ptr<platform::Connector> uplink_, probe_;
    bool pumping_ = false;
};

}  // namespace wattmesh::concentrator
