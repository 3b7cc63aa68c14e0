#pragma once
#include <string>

#include "headend/database/read_completeness.h"
#include "headend/jobs/job_runner.h"
#include "headend/jobs/table.h"

namespace wattmesh::headend::jobs {

/// Which report, over which days of the utility's calendar, in which form.
struct ReportOrder {
    enum class Kind { energy, completeness };
    Kind kind = Kind::energy;
    database::UtcDay first{}, last{};
    TableFormat format = TableFormat::csv;

    std::string to_json() const;
    /// Throws std::runtime_error when the text is not an order of ours.
    static ReportOrder from_json(const std::string& text);
};
std::string_view to_string(ReportOrder::Kind kind);
std::optional<ReportOrder::Kind> parse_report(std::string_view word);

/// Makes a report's file: of what whoever ordered it may see. The connection is one of wm_console.
database::JobFile make_report(database::Connection& connection, const ReportOrder& order,
                              const database::Job& job, const ObisCode& profile, Instant now);

/// "report" jobs: one item each, done on the queue's thread.
class ReportJob : public JobKind {
public:
    ReportJob(database::QueryQueue& queue, const ObisCode& profile, std::function<Instant()> now)
        : queue_(queue), profile_(profile), now_(std::move(now)) {}
    std::string name() const override { return "report"; }
    int jobs_at_once() const override { return 1; }
    int at_once() const override { return 1; }
    void work(const database::Job& job, const database::JobItem& item, Done done) override;

private:
    database::QueryQueue& queue_;
    ObisCode profile_;
    std::function<Instant()> now_;
};

}  // namespace wattmesh::headend::jobs
