#include "protocol/cosem/schedule.h"

#include <algorithm>

namespace wattmesh::cosem::single_action_schedule {

ExecutionTime execution_at(const dlms::RawDateTime& at) {
    ExecutionTime execution;
    std::copy_n(at.octets.begin(), 5, execution.date.octets.begin());
    std::copy_n(at.octets.begin() + 5, 4, execution.time.octets.begin());
    return execution;
}

}  // namespace wattmesh::cosem::single_action_schedule
