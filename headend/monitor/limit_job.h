#pragma once
#include "headend/monitor/parameter_job.h"

namespace wattmesh::headend::monitor {

/// Limits of power behind the command gate: a limiter opens the breaker by itself, so what holds for
/// disconnections holds for it. Every meter is looked up once more at the moment of firing (stopped,
/// protected), and the key service counts each step.
class LimitJob : public ParameterJob {
public:
    using ParameterJob::ParameterJob;
    std::string name() const override { return "limits"; }

private:
    bool writes(ParameterKind kind) const override { return kind == ParameterKind::limits; }
    void permit(const std::shared_ptr<Turn>& turn, std::size_t steps, const Permitted& go) override;
};

}  // namespace wattmesh::headend::monitor
