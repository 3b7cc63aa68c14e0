#include "headend/console/job_json.h"

#include <algorithm>

namespace wattmesh::headend::console {
namespace {

using database::Job;
constexpr int meters_max = 10'000;
constexpr auto deadline_after = std::chrono::hours{24};

/// Everybody's jobs are for who may look at the whole utility; others see their own.
bool sees_all(const Request& request) {
    const auto& user = request.caller->user;
    return user.scope(database::Right::look) == database::Scope::of(user.tenant);
}

}  // namespace

void write(Json& json, const Job& job) {
    json.open_object()
        .field("id", std::int64_t{job.id.value})
        .field("kind", job.kind)
        .field("title", job.title);
    json.field("state", to_string(job.state))
        .field("total", job.total)
        .field("done", job.done)
        .field("failed", job.failed)
        .field("working", job.working);
    json.field("requested_by", job.requested_by)
        .field("approved_by", job.approved_by)
        .field("reason", job.reason)
        .field("created", job.created);
    json.field("started", job.started)
        .field("finished", job.finished)
        .field("deadline", job.deadline)
        .close_object();
}

Answer order_job(const Context& context, database::Connection& connection, const Request& request, Job job,
                 const std::vector<std::string>& subjects, const std::function<std::string()>& also) {
    job.requested_by = request.caller->name();
    job.scope = request.scope;
    job.created = context.now();
    job.deadline = job.created + deadline_after;
    database::Transaction transaction{connection};
    const auto before = also ? also() : std::string{};
    database::Jobs jobs{connection};
    const auto id = jobs.add(job, subjects);
    database::AuditRecord record{{}, job.requested_by, "job " + job.kind, "job " + std::to_string(id.value)};
    record.detail = job.title + ", items: " + std::to_string(subjects.size()) +
                    (job.state == database::JobState::proposed ? ", waits for a second person" : "");
    record.reason = job.reason;
    if (!before.empty()) record.before = before;
    record.after = job.parameters;
    record.tenant = request.caller->user.tenant;
    context.audit(connection, record);
    const auto made = jobs.find(id);
    transaction.commit();
    Json json;
    write(json, *made);
    return {.status = 202,
            .body = json.take(),
            .headers = {{"Location", "/api/jobs/" + std::to_string(id.value)}}};
}

Job wanted_job(database::Connection& connection, const Request& request) {
    const auto id = parse_id(request.captured.at("id"));
    auto job = id ? database::Jobs{connection}.find(database::JobId{*id}) : std::nullopt;
    const bool mine = job && job->scope.tenant == request.scope.tenant &&
                      (sees_all(request) || job->requested_by == request.caller->name());
    if (!mine) throw Problem{404, "Unknown job", "There is no such job, or it is another person's."};
    return std::move(*job);
}

std::vector<std::string> subjects_of(database::Connection& connection, const JsonBody& body,
                                     bool customers_only) {
    std::vector<std::string> subjects;
    if (body.has("concentrator")) {
        const auto number = DeviceNumber::parse(body.text("concentrator", 12));
        if (!number) throw Problem{400, "Bad request", "'concentrator' must have twelve digits."};
        for (const auto& meter : database::JobSubjects{connection}.of_concentrator(*number, customers_only))
            subjects.push_back(to_string(meter));
        if (subjects.empty())
            throw Problem{404, "No meters",
                          "Concentrator " + to_string(*number) + " is unknown or has no meters."};
    } else {
        std::vector<DeviceNumber> numbers;
        for (const auto& text : body.texts("meters")) {
            const auto number = DeviceNumber::parse(text);
            if (!number)
                throw Problem{400, "Bad request",
                              "'" + text + "' in 'meters' is not a number of twelve digits."};
            numbers.push_back(*number);
        }
        if (numbers.empty() || numbers.size() > meters_max)
            throw Problem{400, "Bad request", "Name 1 to 10 000 'meters', or a 'concentrator'."};
        const auto known = database::JobSubjects{connection}.known(numbers);
        for (const auto& number : numbers) {
            if (!std::binary_search(known.begin(), known.end(), number))
                throw Problem{404, "Unknown meter",
                              "The head-end has no meter " + to_string(number) + ". Nothing was ordered."};
            subjects.push_back(to_string(number));
        }
    }
    return subjects;
}

}  // namespace wattmesh::headend::console
