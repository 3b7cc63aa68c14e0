#pragma once
#include "headend/console/http.h"
#include "headend/console/ports.h"
#include "headend/console/settings.h"
#include "headend/database/audit_log.h"
#include "headend/database/connection_pool.h"
#include "headend/database/read_completeness.h"
#include "platform/clock.h"
#include "protocol/base/obis.h"

namespace wattmesh::headend::console {

/// What the handlers share. Lives as long as the console; thread safe.
struct Context {
    const ConsoleSettings settings;
    const platform::Clock& clock;
    Random& random;
    LiveReads& reads;
    const VerifyPassword verify;
    const HashPassword hash;
    const Log log;
    database::ConnectionPool pool;

    /// A connection that shows what the request may see and nothing else.
    database::ConnectionPool::Lease lease(const Request& request) { return lease(request.scope); }
    database::ConnectionPool::Lease lease(const database::Scope& scope);
    Instant now() const { return clock.now(); }
    /// Intervals that end after this are not yet expected.
    Instant due() const { return clock.now() - settings.due_after; }
    database::UtcDay today() const { return std::chrono::floor<std::chrono::days>(clock.now()); }
    /// A real duration in simulated time.
    Duration simulated(Duration real) const {
        return Duration{static_cast<Duration::rep>(static_cast<double>(real.count()) * settings.speed)};
    }
    /// An act of a person, for good; the record gets its time. Joins the connection's transaction.
    void audit(database::Connection& connection, database::AuditRecord record) const;
};

/// The profile the boards and curves stand on.
inline constexpr ObisCode interval_profile = obis::load_profile;

}  // namespace wattmesh::headend::console
