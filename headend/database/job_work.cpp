#include "headend/database/job_work.h"

#include <algorithm>

#include "headend/database/job_rows.h"

namespace wattmesh::headend::database {
namespace {

/// Jobs that nobody else holds: those that run, and whatever somebody left in hand. `due`: there is something
/// to begin; `held`: we have items of it in hand.
constexpr const char* free_jobs =
    "with ids as (select id from job where state in ('queued', 'running') union select job from job_item "
    "where state = 'working'), "
    "free as (select j.id, j.kind, j.priority, j.state, k.slots from ids join job j on j.id = ids.id join "
    "unnest(cast(:kinds as text[]), cast(:slots as int[])) k(kind, slots) on k.kind = j.kind where j.owner "
    "is null or j.owner = :owner or j.owner_until_us <= :now), "
    "seen as (select f.*, exists (select from job_item i where i.job = f.id and i.state = 'working' and "
    "i.owner = :owner) as held, (f.state in ('queued', 'running') and exists (select "
    "from job_item i where i.job = f.id and i.state = 'waiting' and i.not_before_us <= :now)) or exists "
    "(select from job_item i where i.job = f.id and i.state = 'working' and (i.owner is null or i.until_us "
    "<= :now)) as due from free f), "
    "ranked as (select id, held, due and row_number() over (partition by kind order by due desc, priority "
    "desc, id) <= slots as begins from seen) "
    "select id, begins::int from ranked where begins or held";

JobItem begun(const soci::row& row, bool taken_up) {
    JobItem item;
    item.place = row.get<int>(0);
    item.subject = row.get<std::string>(1);
    item.state = ItemState::working;
    item.detail = row.get<std::string>(2);
    item.attempts = row.get<int>(3);
    item.taken_up = taken_up;
    item.sent = row.get<int>(4) != 0;
    return item;
}

}  // namespace

void JobWork::end_late(const std::string& kinds, Instant now) {
    connection_.run("ending jobs past their deadline", [&](soci::session& sql) {
        std::vector<JobId> late;
        {
            const soci::rowset<soci::row> rows =
                (sql.prepare
                     << "select id from job where state not in ('done', 'cancelled') and deadline_us <= "
                        ":now and kind = any(cast(:kinds as text[])) and exists (select from job_item i "
                        "where i.job = job.id and i.state = 'waiting') order by id limit 20 for update",
                 use(now), use(kinds));
            for (const auto& row : rows) late.push_back(row.get<JobId>(0));
        }
        for (const auto& id : late) {
            sql << "with ended as (update job_item set state = 'failed', detail = 'not done by the "
                   "deadline', finished_us = :now where job = :id and state = 'waiting' returning 1) update "
                   "job set failed = failed + (select count(*) from ended) where id = :id2",
                use(now), use(id), use(id);
            end_if_over(id, now);
        }
    });
}

std::vector<HeldJob> JobWork::claim(const std::vector<KindSlots>& kinds, Instant now, Instant until) {
    std::vector<std::string> names;
    std::vector<int> rooms;
    for (const auto& [kind, slots] : kinds) {
        names.push_back(kind);
        rooms.push_back(slots);
    }
    const auto kind_list = array_text(names), slot_list = array_text(rooms);
    end_late(kind_list, now);
    return connection_.run("taking jobs", [&](soci::session& sql) {
        std::vector<JobId> wanted, beginning;
        {
            const soci::rowset<soci::row> rows =
                (sql.prepare << free_jobs, soci::use(kind_list, "kinds"), soci::use(slot_list, "slots"),
                 soci::use(owner_, "owner"), soci::use(now, "now"));
            for (const auto& row : rows) {
                wanted.push_back(row.get<JobId>(0));
                if (row.get<int>(1) != 0) beginning.push_back(wanted.back());
            }
        }
        std::vector<HeldJob> held;
        if (wanted.empty()) return held;
        const auto list = array_text(wanted);
        // Our own are waited for, a row that is locked may be ours just storing an item; others' are not.
        const std::string query =
            std::string{
                "with ours as (select id from job where id = any(cast(:list as bigint[])) and owner "
                "= :owner order by id for update), others as (select id from job where id = "
                "any(cast(:list as bigint[])) and owner is distinct from :owner and (owner is null "
                "or owner_until_us <= :now) order by id for update skip locked) update job set "
                "owner = :owner, owner_until_us = :until, started_us = coalesce(started_us, :now), "
                "state = case state when 'queued' then 'running' else state end where id in (select "
                "id from ours union all select id from others) returning "} +
            job_columns;
        const soci::rowset<soci::row> rows =
            (sql.prepare << query, soci::use(list, "list"), soci::use(owner_, "owner"), soci::use(now, "now"),
             soci::use(until, "until"));
        for (const auto& row : rows) {
            HeldJob job{job_of(row), false};
            job.begins = std::find(beginning.begin(), beginning.end(), job.id) != beginning.end();
            held.push_back(std::move(job));
        }
        return held;
    });
}

std::vector<JobItem> JobWork::begin(JobId id, Instant now, Instant until, int count,
                                    const std::set<int>& in_hand) {
    return connection_.run("beginning items", [&](soci::session& sql) {
        std::vector<JobItem> items;
        const auto take = [&](const std::string& which, bool taken_up) {
            const int room = count - static_cast<int>(items.size());
            const auto list = array_text(in_hand);
            const std::string query =
                "with next as materialized (select i.job, i.place from job_item i join job j on j.id = i.job "
                "where i.job = :id and j.owner = :owner and i.place <> all(cast(:in_hand as int[])) and " +
                which +
                " limit :room for update of i skip locked) update job_item u set state = 'working', owner = "
                ":owner, until_us = :until from next where u.job = next.job and u.place = next.place "
                "returning u.place, u.subject, u.detail, u.attempts::int, u.sent::int";
            const soci::rowset<soci::row> rows =
                (sql.prepare << query, soci::use(owner_, "owner"), soci::use(until, "until"),
                 soci::use(id, "id"), soci::use(list, "in_hand"), soci::use(room, "room"),
                 soci::use(now, "now"));
            for (const auto& row : rows) items.push_back(begun(row, taken_up));
        };
        take("i.state = 'working' and (i.owner is null or i.until_us <= :now) order by i.place", true);
        take(
            "i.state = 'waiting' and j.state = 'running' and i.not_before_us <= :now order by "
            "i.not_before_us, i.place",
            false);
        std::sort(items.begin(), items.end(),
                  [](const auto& left, const auto& right) { return left.place < right.place; });
        return items;
    });
}

bool JobWork::finish(JobId id, int place, const ItemOutcome& outcome, Instant now) {
    return connection_.run("storing what an item brought", [&](soci::session& sql) {
        std::string job_state, item_state, whose;
        // the job first, as cancelling does
        sql << "select state from job where id = :id for update", use(id), soci::into(job_state);
        sql << "select state, coalesce(owner, '') from job_item where job = :id and place = :place for "
               "update",
            use(id), use(place), soci::into(item_state), soci::into(whose);
        const bool working = item_state == to_string(ItemState::working);
        if (!working && whose == owner_) return false;  // stored before
        if (outcome.audit) AuditLog{connection_}.append(*outcome.audit);
        if (outcome.also) outcome.also(connection_);
        const int sent = outcome.sent ? 1 : 0, counts = outcome.counts ? 1 : 0;
        if (!working || (!whose.empty() && whose != owner_)) {  // another's by now
            sql << "update job_item set sent = sent or :sent = 1 where job = :id and place = :place",
                use(sent), use(id), use(place);
            return false;
        }
        auto ended = outcome.state;
        if (ended == ItemState::waiting && job_state == to_string(JobState::cancelled))
            ended = ItemState::cancelled;
        const std::string state{to_string(ended)};
        const bool again = ended == ItemState::waiting;
        const Instant not_before = again ? outcome.again : Instant{};
        const std::optional<Instant> finished = again ? std::nullopt : std::optional{now};
        sql << "update job_item set state = :state, owner = :owner, attempts = attempts + :counts, detail = "
               ":detail, sent = sent or :sent = 1, not_before_us = :again, finished_us = :now where job = "
               ":id "
               "and place = :place",
            use(state), use(owner_), use(counts), use(outcome.detail), use(sent), use(not_before),
            use(finished), use(id), use(place);
        if (again || ended == ItemState::cancelled) return false;
        sql << "select tell_job_item(cast(:id as bigint), cast(:place as integer))", use(id), use(place);
        const int well = ended == ItemState::done ? 1 : 0, ill = 1 - well;
        sql << "update job set done = done + :well, failed = failed + :ill where id = :id", use(well),
            use(ill), use(id);
        if (outcome.file) {
            const auto content = bytea(outcome.file->content);
            sql << "insert into job_file (job, name, media_type, content) values (:id, :name, :type, "
                   ":content) on conflict do nothing",
                use(id), use(outcome.file->name), use(outcome.file->media_type), use(content);
        }
        return end_if_over(id, now);
    });
}

void JobWork::release() {
    Transaction transaction{connection_};
    connection_.run("letting go of jobs", [&](soci::session& sql) {
        sql << "update job set owner = null, owner_until_us = null where owner = :owner and id in (select id "
               "from job where state in ('queued', 'running') union select job from job_item where state = "
               "'working')",
            use(owner_);
        sql << "update job_item set owner = null where state = 'working' and owner = :owner", use(owner_);
    });
    transaction.commit();
}

bool JobWork::end_if_over(JobId id, Instant now) {
    return connection_.run("ending a job", [&](soci::session& sql) {
        soci::statement update =
            (sql.prepare << "update job set state = 'done', finished_us = :now, owner = null where id = :id "
                            "and state not in ('done', 'cancelled') and done + failed = total",
             use(now), use(id));
        return affected(update) == 1;
    });
}

}  // namespace wattmesh::headend::database
