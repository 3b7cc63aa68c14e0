#pragma once
#include "headend/jobs/job_runner.h"
#include "headend/monitor/clock_desk.h"
#include "headend/monitor/clock_rules.h"

namespace wattmesh::headend::monitor {

/// "+243.1 s".
std::string offset_text(Duration offset);

/// "clock" jobs measure each meter's clock, set it where its rule says so and when that touches neither
/// midnight nor the end of an interval, and measure again. A shift is sent only when the clock is as it was
/// measured, at that moment and while nobody else talks with the meter: it is relative, and another turn may
/// have shifted the clock meanwhile. An item that a dead process began is measured first: its shift ends as
/// the clock says, and is sent once more only when nothing came of it.
class ClockJob : public jobs::JobKind {
public:
    ClockJob(database::QueryQueue& queue, ClockDesk& desk, std::function<void()> pump,
             std::function<Instant()> now)
        : queue_(queue), desk_(desk), pump_(std::move(pump)), now_(std::move(now)) {}
    std::string name() const override { return "clock"; }
    int at_once() const override { return 4; }
    void work(const database::Job& job, const database::JobItem& item, Done done) override;

private:
    struct Turn;
    void measure(const std::shared_ptr<Turn>& turn);
    void take_up(const std::shared_ptr<Turn>& turn, database::ClockCorrectionId id, Duration before);
    void decide(const std::shared_ptr<Turn>& turn);
    void announce(const std::shared_ptr<Turn>& turn);
    void shift(const std::shared_ptr<Turn>& turn);
    void verify(const std::shared_ptr<Turn>& turn);
    void judge_after(const std::shared_ptr<Turn>& turn, const database::ClockReading& after);
    void conclude(const std::shared_ptr<Turn>& turn, const std::string& result, const std::string& fault,
                  const std::optional<database::ClockReading>& after);
    void again(const std::shared_ptr<Turn>& turn, const std::string& fault) const;
    void later(const std::shared_ptr<Turn>& turn) const;

    database::QueryQueue& queue_;
    ClockDesk& desk_;
    std::function<void()> pump_;
    std::function<Instant()> now_;
};

}  // namespace wattmesh::headend::monitor
