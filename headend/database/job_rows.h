#pragma once
#include "headend/database/bindings.h"
#include "headend/database/jobs.h"

/// How jobs and items come out of their tables. Only the .cpp files of this folder include it.
namespace wattmesh::headend::database {

/// Of a row of table job.
inline constexpr const char* job_columns =
    "id, tenant, areas, kind, title, parameters, requested_by, reason, state, total, done, failed, "
    "created_us, started_us, finished_us, deadline_us, approved_by, (select count(*) from job_item i where "
    "i.job = job.id and i.state = 'working')::int";
Job job_of(const soci::row& row);

inline int affected(soci::statement& statement) {
    statement.execute(true);
    return static_cast<int>(statement.get_affected_rows());
}

}  // namespace wattmesh::headend::database
