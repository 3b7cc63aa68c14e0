#pragma once
#include "headend/jobs/job_runner.h"
#include "headend/monitor/relay_desk.h"

namespace wattmesh::headend::monitor {

/// What "relay" jobs do.
struct RelayOrder {
    RelayVerb verb{};
    bool unless_cut_off = false;  ///< refused when somebody's order cut the meter off
    std::string to_json() const;
    /// Throws std::runtime_error when the text is not an order of ours.
    static RelayOrder from_json(const std::string& text);
};

/// The command gate: every meter of an order is looked up once more at the moment of firing (stopped,
/// protected), switched by the relay desk, and its result written to the audit log with who, why, before and
/// after. Doing an item twice is harmless: a meter that is as wanted gets no command. An item that a dead
/// process began, and that must not be switched any more, is only looked at.
class RelayJob : public jobs::JobKind {
public:
    /// Why an order is not carried out any more, a stable word; asked at the moment of firing, on the queue's
    /// threads, after the gate's own checks.
    using Objection = std::function<std::optional<std::string>(database::Connection&, const database::Job&,
                                                               DeviceNumber, Instant)>;
    RelayJob(database::QueryQueue& queue, RelayDesk& desk, std::function<void()> pump,
             std::function<Instant()> now, Objection objection = {})
        : queue_(queue),
          desk_(desk),
          pump_(std::move(pump)),
          now_(std::move(now)),
          objection_(std::move(objection)) {}
    std::string name() const override { return "relay"; }
    int at_once() const override { return 4; }
    void work(const database::Job& job, const database::JobItem& item, Done done) override;

private:
    void fire(const database::Job& job, const database::JobItem& item, DeviceNumber meter, RelayVerb verb,
              const Done& done);
    void find_out(const database::Job& job, DeviceNumber meter, RelayVerb verb, const std::string& refusal,
                  const Done& done);
    void finish(const database::Job& job, DeviceNumber meter, RelayVerb verb, const RelayResult& result,
                const Done& done) const;
    database::AuditRecord record(const database::Job& job, DeviceNumber meter, RelayVerb verb,
                                 const std::string& detail, const RelayResult& result) const;

    database::QueryQueue& queue_;
    RelayDesk& desk_;
    std::function<void()> pump_;
    std::function<Instant()> now_;
    Objection objection_;
};

}  // namespace wattmesh::headend::monitor
