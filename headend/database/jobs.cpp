#include "headend/database/jobs.h"

#include <array>
#include <cassert>

#include "headend/database/job_rows.h"

namespace wattmesh::headend::database {
namespace {

constexpr std::array<std::string_view, 6> job_words{"queued",    "running", "paused",
                                                    "cancelled", "done",    "proposed"};
constexpr std::array<std::string_view, 5> item_words{"waiting", "working", "done", "failed", "cancelled"};

std::string wanting(const std::string& where) {
    return std::string{"select "} + job_columns + " from job" + where;
}

JobItem item_of(const soci::row& row) {
    JobItem item;
    item.place = row.get<int>(0);
    item.subject = row.get<std::string>(1);
    item.state = parse_item_state(row.get<std::string>(2)).value_or(ItemState::waiting);
    item.detail = row.get<std::string>(3);
    item.attempts = row.get<int>(4);
    item.finished = row.get<std::optional<Instant>>(5);
    return item;
}

}  // namespace

Job job_of(const soci::row& row) {
    Job job;
    job.id = row.get<JobId>(0);
    job.scope = {std::to_string(row.get<int>(1)), row.get<std::string>(2)};
    job.kind = row.get<std::string>(3);
    job.title = row.get<std::string>(4);
    job.parameters = row.get<std::string>(5);
    job.requested_by = row.get<std::string>(6);
    job.reason = row.get<std::string>(7);
    const auto word = row.get<std::string>(8);
    for (std::size_t i = 0; i < job_words.size(); ++i)
        if (job_words[i] == word) job.state = static_cast<JobState>(i);
    job.total = row.get<int>(9);
    job.done = row.get<int>(10);
    job.failed = row.get<int>(11);
    job.created = row.get<Instant>(12);
    job.started = row.get<std::optional<Instant>>(13);
    job.finished = row.get<std::optional<Instant>>(14);
    job.deadline = row.get<Instant>(15);
    if (row.get_indicator(16) == soci::i_ok) job.approved_by = row.get<std::string>(16);
    job.working = row.get<int>(17);
    return job;
}

std::string_view to_string(JobState state) { return job_words[static_cast<std::size_t>(state)]; }
std::string_view to_string(ItemState state) { return item_words[static_cast<std::size_t>(state)]; }
std::optional<ItemState> parse_item_state(std::string_view word) {
    for (std::size_t i = 0; i < item_words.size(); ++i)
        if (item_words[i] == word) return static_cast<ItemState>(i);
    return std::nullopt;
}

std::vector<DeviceNumber> JobSubjects::of_concentrator(DeviceNumber concentrator, bool customers_only) {
    return connection_.run("listing a concentrator's meters", [&](soci::session& sql) {
        std::vector<DeviceNumber> found;
        const int role_max = customers_only ? 0 : 1;
        const soci::rowset<soci::row> rows = (sql.prepare << "select m.number from meter m join concentrator "
                                                             "c on c.id = m.concentrator where c.number = "
                                                             ":number and m.role <= :role order by 1",
                                              use(concentrator), use(role_max));
        for (const auto& row : rows) found.push_back(row.get<DeviceNumber>(0));
        return found;
    });
}

std::vector<DeviceNumber> JobSubjects::known(const std::vector<DeviceNumber>& numbers) {
    return connection_.run("looking for meters", [&](soci::session& sql) {
        std::vector<std::string> texts;
        texts.reserve(numbers.size());
        for (const auto& number : numbers) texts.push_back(std::to_string(number.integer()));
        const auto list = array_text(texts);
        std::vector<DeviceNumber> found;
        const soci::rowset<soci::row> rows =
            (sql.prepare << "select number from meter where number = any(cast(:list as bigint[])) order by 1",
             use(list));
        for (const auto& row : rows) found.push_back(row.get<DeviceNumber>(0));
        return found;
    });
}

bool JobSubjects::sees_all(JobId id) {
    return connection_.run("looking where a job's meters are", [&](soci::session& sql) {
        int hidden = 0;
        sql << "select count(*)::int from job_item i where i.job = :id and not exists (select from meter m "
               "where m.number = i.subject::bigint)",
            use(id), soci::into(hidden);
        return hidden == 0;
    });
}

JobId Jobs::add(const Job& job, const std::vector<std::string>& subjects) {
    assert(!subjects.empty() && subjects.size() <= items_max);
    return connection_.run("ordering a job", [&](soci::session& sql) {
        JobId id;
        const std::string state{to_string(job.state)};
        const int tenant = std::stoi(job.scope.tenant), total = static_cast<int>(subjects.size());
        sql << "insert into job (tenant, areas, kind, title, parameters, requested_by, reason, total, "
               "created_us, "
               "deadline_us, state, priority) values (:tenant, :areas, :kind, :title, :parameters, :by, "
               ":reason, :total, :now, :deadline, :state, :priority) returning id",
            use(tenant), use(job.scope.areas), use(job.kind), use(job.title), use(job.parameters),
            use(job.requested_by), use(job.reason), use(total), use(job.created), use(job.deadline),
            use(state), use(job.priority), soci::into(id);
        const auto list = array_text(subjects);
        sql << "insert into job_item (job, place, subject) select :id, s.place, s.subject from "
               "unnest(cast(:list as text[])) with ordinality s(subject, place)",
            use(id), use(list);
        return id;
    });
}

std::optional<Job> Jobs::find(JobId id) {
    return connection_.run("finding a job", [&](soci::session& sql) -> std::optional<Job> {
        const soci::rowset<soci::row> rows = (sql.prepare << wanting(" where id = :id"), use(id));
        for (const auto& row : rows) return job_of(row);
        return std::nullopt;
    });
}

std::vector<Job> Jobs::list(const Scope& scope, bool everybody, const std::string& requested_by, int count) {
    return connection_.run("listing jobs", [&](soci::session& sql) {
        std::vector<Job> found;
        const int tenant = std::stoi(scope.tenant), all = everybody ? 1 : 0;
        const soci::rowset<soci::row> rows =
            (sql.prepare << wanting(
                 " where tenant = :tenant and (cast(:all as integer) = 1 or requested_by = :by) "
                 "order by id desc limit :count"),
             soci::use(tenant, "tenant"), soci::use(all, "all"), soci::use(requested_by, "by"),
             soci::use(count, "count"));
        for (const auto& row : rows) found.push_back(job_of(row));
        return found;
    });
}

std::vector<JobItem> Jobs::items(JobId id, std::optional<ItemState> state, int from, int count) {
    return connection_.run("listing a job's items", [&](soci::session& sql) {
        std::vector<JobItem> found;
        const std::string word{state ? to_string(*state) : ""};
        const soci::rowset<soci::row> rows =
            (sql.prepare
                 << "select place, subject, state, detail, attempts::int, finished_us from job_item where "
                    "job = "
                    ":id and (:word = '' or state = :word) and place >= :from order by place limit :count",
             soci::use(id, "id"), soci::use(word, "word"), soci::use(from, "from"),
             soci::use(count, "count"));
        for (const auto& row : rows) found.push_back(item_of(row));
        return found;
    });
}

std::optional<JobFile> Jobs::file(JobId id) {
    return connection_.run("reading a job's file", [&](soci::session& sql) -> std::optional<JobFile> {
        JobFile file;
        std::string content;
        sql << "select name, media_type, content from job_file where job = :id", use(id),
            soci::into(file.name), soci::into(file.media_type), soci::into(content);
        if (!sql.got_data()) return std::nullopt;
        file.content = from_bytea(content);
        return file;
    });
}

bool Jobs::pause(JobId id) {
    return connection_.run("pausing a job", [&](soci::session& sql) {
        soci::statement update =
            (sql.prepare
                 << "update job set state = 'paused' where id = :id and state in ('queued', 'running')",
             use(id));
        return affected(update) == 1;
    });
}

bool Jobs::resume(JobId id) {
    return connection_.run("resuming a job", [&](soci::session& sql) {
        soci::statement update =
            (sql.prepare << "update job set state = 'queued' where id = :id and state = 'paused'", use(id));
        return affected(update) == 1;
    });
}

bool Jobs::approve(JobId id, const std::string& by) {
    return connection_.run("approving a job", [&](soci::session& sql) {
        soci::statement update = (sql.prepare << "update job set state = 'queued', approved_by = :by where "
                                                 "id = :id and state = 'proposed'",
                                  use(by), use(id));
        return affected(update) == 1;
    });
}

std::vector<std::string> Jobs::changed(JobId id) {
    return connection_.run("listing what a job changed", [&](soci::session& sql) {
        std::vector<std::string> found;
        const soci::rowset<std::string> rows =
            (sql.prepare << "select subject from job_item where job = :id and sent order by place", use(id));
        for (const auto& subject : rows) found.push_back(subject);
        return found;
    });
}

int Jobs::cancel_all(const std::string& kind, TenantId tenant, Instant now) {
    return connection_.run("cancelling all jobs of a kind", [&](soci::session& sql) {
        std::vector<JobId> open;
        {
            const soci::rowset<soci::row> rows = (sql.prepare << "select id from job where kind = :kind and "
                                                                 "tenant = :tenant and state in ('proposed', "
                                                                 "'queued', 'running', 'paused') order by "
                                                                 "id for update",
                                                  use(kind), use(tenant));
            for (const auto& row : rows) open.push_back(row.get<JobId>(0));
        }
        for (const auto& id : open) cancel(id, now);
        return static_cast<int>(open.size());
    });
}

bool Jobs::cancel(JobId id, Instant now) {
    return connection_.run("cancelling a job", [&](soci::session& sql) {
        int cancelled = 0;
        sql << "select cancel_job(:id, :now)::int", use(id), use(now), soci::into(cancelled);
        return cancelled == 1;
    });
}

}  // namespace wattmesh::headend::database
