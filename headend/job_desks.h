#pragma once
#include "headend/jobs/read_job.h"
#include "headend/jobs/report_job.h"
#include "headend/monitor/clock_job.h"
#include "headend/monitor/clock_watch.h"
#include "headend/monitor/delivery_work.h"
#include "headend/monitor/firmware_activation.h"
#include "headend/monitor/firmware_job.h"
#include "headend/monitor/limit_job.h"
#include "headend/monitor/on_demand.h"
#include "headend/monitor/prepayment_round.h"
#include "headend/monitor/relay_job.h"
#include "headend/roles.h"

namespace wattmesh::headend {

/// Accounts whose use the server counts are charged and decided, in the monitor role.
class PrepaymentDesk {
public:
    /// The references outlive it.
    PrepaymentDesk(Plant& plant, database::QueryQueue& queue);
    void start() { look(); }
    void stop();

private:
    void look();

    Plant& plant_;
    database::QueryQueue& queue_;
    monitor::PrepaymentSettings settings_;
    platform::Timer timer_;
    std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

/// Jobs that read and switch meters, set their clocks and parameters, and the standing looks at clocks and at
/// accounts that the server counts, in the monitor role. All on the loop's thread.
class MeterDesk {
public:
    /// The references outlive it.
    MeterDesk(Plant& plant, database::QueryQueue& queue, monitor::KeyService& keys,
              monitor::OnDemand& on_demand, monitor::RelayDesk& relay, const monitor::Carry& carry);
    void start() {
        runner_.start();
        watch_.start();
        prepayments_.start();
    }
    void stop() {
        prepayments_.stop();
        watch_.stop();
        runner_.stop();
    }

private:
    Plant& plant_;
    database::QueryQueue& queue_;
    monitor::OnDemand& on_demand_;
    jobs::ReadJob reads_;
    monitor::RelayJob relays_;
    monitor::ClockDesk clock_desk_;
    monitor::ParameterDesk parameter_desk_;
    monitor::ClockJob clocks_;
    monitor::ClockWatch watch_;
    monitor::ParameterJob parameters_;
    monitor::LimitJob limits_;
    monitor::FirmwareJob firmware_;
    monitor::FirmwareActivation activations_;
    jobs::JobRunner runner_;
    PrepaymentDesk prepayments_;
};

/// Tokens that were sold go to their meters, in the monitor role. All on the loop's thread.
class DeliveryDesk {
public:
    /// The references outlive it.
    DeliveryDesk(Plant& plant, database::QueryQueue& queue, monitor::KeyService& keys,
                 monitor::OnDemand& on_demand, monitor::RelayDesk& relay, monitor::Carry carry);
    void start() { look(); }
    void stop() { timer_.cancel(); }

private:
    void look();

    monitor::TokenDesk tokens_;
    monitor::DeliveryWork work_;
    platform::Timer timer_;
};

/// Jobs that make reports, in the console role: its database user sees only what the one who asked may see.
class ReportDesk {
public:
    explicit ReportDesk(Plant& plant);
    void start() { runner_.start(); }
    void stop() { runner_.stop(); }

private:
    DatabaseWorkers workers_;
    jobs::ReportJob kind_;
    jobs::JobRunner runner_;
};

}  // namespace wattmesh::headend
