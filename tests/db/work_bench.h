#pragma once
#include "headend/database/job_work.h"
#include "headend/database/query_queue.h"
#include "platform/loop.h"
#include "tests/db/town.h"

/// What tests of jobs share.
namespace wattmesh::test {

class MovedClock : public platform::Clock {
public:
    explicit MovedClock(Instant at_) : at(at_) {}
    Instant now() const override { return at; }
    std::chrono::nanoseconds real(Duration simulated) const override { return simulated; }
    Instant at;
};

/// Work on the caller's thread, at once.
class Direct : public platform::Executor {
public:
    bool try_post(std::function<void()> job, Completion completion) override {
        std::exception_ptr fault;
        try {
            job();
        } catch (...) {
            fault = std::current_exception();
        }
        completion(fault);
        return true;
    }
};

inline Job job_of(const std::string& kind, Instant now, const std::string& parameters = "{}") {
    Job job;
    job.kind = kind;
    job.title = "Test";
    job.parameters = parameters;
    job.requested_by = "ada";
    job.reason = "test";
    job.scope = Scope::of(TenantId{1});
    job.created = now;
    job.deadline = now + std::chrono::hours{24};
    return job;
}

/// Takes a job and begins whatever can be, as the process `owner`; the places.
inline std::vector<int> begin_items(Connection& monitor, JobId id, Instant now,
                                    const std::string& owner = "test") {
    JobWork work{monitor, owner};
    work.claim({{Jobs{monitor}.find(id).value().kind, 100}}, now, now + std::chrono::seconds{30});
    std::vector<int> places;
    for (const auto& item : work.begin(id, now, now + std::chrono::minutes{10}, 1000, {}))
        places.push_back(item.place);
    return places;
}

/// Ends an item as a runner would.
inline bool end_item(Connection& monitor, JobId id, int place, const ItemOutcome& outcome, Instant now) {
    begin_items(monitor, id, now);
    return JobWork{monitor, "test"}.finish(id, place, outcome, now);
}

}  // namespace wattmesh::test
