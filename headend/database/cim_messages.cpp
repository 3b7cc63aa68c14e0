#include "headend/database/cim_messages.h"

#include "headend/database/bindings.h"
#include "headend/database/copy_in.h"

namespace wattmesh::headend::database {

std::optional<CimMessageId> CimMessages::take(const CimRequest& request) {
    return connection_.run("taking a message", [&](soci::session& sql) -> std::optional<CimMessageId> {
        CimMessageId id;
        const auto digest = bytea(request.digest);
        sql << "insert into cim_message (contract, message_id, correlation, client, digest, request, "
               "received_us, reply_to) values (:contract, :message, :correlation, :client, :digest, :body, "
               ":at, :reply) on conflict do nothing returning id",
            use(request.contract), use(request.message_id), use(request.correlation), use(request.client),
            use(digest), use(request.body), use(request.received), use(request.reply_to), soci::into(id);
        return sql.got_data() ? std::optional{id} : std::nullopt;
    });
}

void CimMessages::answer(CimMessageId message, const std::string& answer) {
    connection_.run("storing a message's answer", [&](soci::session& sql) {
        sql << "update cim_message set answer = :answer where id = :id", use(answer), use(message);
    });
}

std::optional<CimMessages::Answered> CimMessages::find(ContractId contract, const std::string& message_id) {
    return connection_.run("looking for a message", [&](soci::session& sql) -> std::optional<Answered> {
        Answered found;
        std::string digest;
        sql << "select digest, answer from cim_message where contract = :contract and message_id = :message "
               "and answer is not null",
            use(contract), use(message_id), soci::into(digest), soci::into(found.answer);
        if (!sql.got_data()) return std::nullopt;
        found.digest = from_bytea(digest);
        return found;
    });
}

void CimMessages::add(CimMessageId message, const std::vector<CimLine>& lines) {
    if (lines.empty()) return;
    CopyIn copy{connection_, "cim_line (message, line, name, device, command, job, place, code, reason)"};
    int number = 0;
    for (const auto& line : lines) {
        copy.row(9);
        copy.i64(message.value);
        copy.i32(++number);
        for (const auto* word : {&line.name, &line.device, &line.command}) copy.text(*word);
        if (line.job) {
            copy.i64(line.job->value);
            copy.i32(line.place);
            copy.null();
        } else {
            copy.null();
            copy.null();
            copy.text(line.code);
        }
        copy.text(line.reason);
    }
    copy.finish();
}

std::vector<CimLine> CimMessages::lines(CimMessageId message) {
    return connection_.run("reading what became of a message", [&](soci::session& sql) {
        std::vector<CimLine> found;
        const soci::rowset<soci::row> rows =
            (sql.prepare
                 << "select l.name, l.device, l.command, l.job, l.place, coalesce(l.code, ''), "
                    "coalesce(l.reason, ''), coalesce(i.state, 'failed'), coalesce(i.detail, ''), "
                    "i.finished_us from cim_line l left join job_item i on i.job = l.job and i.place = "
                    "l.place where l.message = :message order by l.line",
             use(message));
        for (const auto& row : rows) {
            CimLine line{.name = row.get<std::string>(0),
                         .device = row.get<std::string>(1),
                         .command = row.get<std::string>(2),
                         .code = row.get<std::string>(5),
                         .reason = row.get<std::string>(6),
                         .state = parse_item_state(row.get<std::string>(7)).value_or(ItemState::failed),
                         .detail = row.get<std::string>(8),
                         .finished = row.get<std::optional<Instant>>(9)};
            if (row.get_indicator(3) == soci::i_ok) {
                line.job = row.get<JobId>(3);
                line.place = row.get<int>(4);
            }
            found.push_back(std::move(line));
        }
        return found;
    });
}

std::vector<std::string> CimMessages::withdraw(ContractId contract, const std::vector<std::string>& devices,
                                               Instant now) {
    return connection_.run("withdrawing orders", [&](soci::session& sql) {
        const auto words = array_text(devices);
        const soci::rowset<std::string> rows =
            (sql.prepare << "select withdraw_orders(:contract, cast(:devices as text[]), :now)",
             use(contract), use(words), use(now));
        return std::vector<std::string>(rows.begin(), rows.end());
    });
}

std::vector<CimRequest> CimMessages::due(Instant now, Instant until, int count_max) {
    return connection_.run("looking for replies to write", [&](soci::session& sql) {
        std::vector<CimRequest> found;
        const soci::rowset<soci::row> rows =
            (sql.prepare
                 << "update cim_message set next_us = :until where id in (select id from cim_message m where "
                    "reply_to is not null and answer is not null and not closed and next_us <= :now and not "
                    "exists (select from cim_line l join job j on j.id = l.job where l.message = m.id and "
                    "(j.state in ('proposed', 'queued', 'running', 'paused') or exists (select from job_item "
                    "i "
                    "where i.job = j.id and i.state = 'working'))) and not exists (select from "
                    "cim_reply r where r.message = m.id and r.state = 'waiting') order by id limit :count "
                    "for update skip locked) returning id, contract, message_id, correlation, client, "
                    "request, received_us, reply_to, place",
             soci::use(until, "until"), soci::use(now, "now"), soci::use(count_max, "count"));
        for (const auto& row : rows)
            found.push_back({.id = row.get<CimMessageId>(0),
                             .contract = row.get<ContractId>(1),
                             .message_id = row.get<std::string>(2),
                             .correlation = row.get<std::string>(3),
                             .client = row.get<std::string>(4),
                             .digest = {},
                             .body = row.get<std::string>(5),
                             .received = row.get<Instant>(6),
                             .reply_to = row.get<std::string>(7),
                             .place = row.get<std::string>(8)});
        return found;
    });
}

void CimMessages::write(CimMessageId message, const std::string& message_id, const std::string& body,
                        const std::string& place, bool last, Instant now) {
    connection_.run("writing a reply", [&](soci::session& sql) {
        const int closed = last ? 1 : 0;
        if (!body.empty())
            sql << "insert into cim_reply (message, piece, message_id, body, next_us) select :message, "
                   "count(*) + 1, cast(:id as text), cast(:body as text), cast(:now as bigint) from "
                   "cim_reply where message = :message",
                soci::use(message, "message"), soci::use(message_id, "id"), soci::use(body, "body"),
                soci::use(now, "now");
        sql << "update cim_message set place = :place, closed = :closed <> 0, next_us = :now where id = :id",
            use(place), use(closed), use(now), use(message);
    });
}

std::vector<CimReply> CimMessages::waiting(Instant now, Instant until, int count_max) {
    return connection_.run("looking for replies to send", [&](soci::session& sql) {
        std::vector<CimReply> found;
        const soci::rowset<soci::row> rows =
            (sql.prepare << "update cim_reply r set next_us = :until from cim_message m join "
                            "exchange_contract c on c.id = m.contract where m.id = r.message and (r.message, "
                            "r.piece) in (select message, piece from cim_reply "
                            "where state = 'waiting' and next_us <= :now order by next_us limit :count for "
                            "update skip locked) returning r.message, r.piece, m.reply_to, r.body, "
                            "r.attempts, r.failing_since_us, c.name, m.message_id",
             soci::use(until, "until"), soci::use(now, "now"), soci::use(count_max, "count"));
        for (const auto& row : rows)
            found.push_back({.message = row.get<CimMessageId>(0),
                             .piece = row.get<int>(1),
                             .contract = row.get<std::string>(6),
                             .message_id = row.get<std::string>(7),
                             .url = row.get<std::string>(2),
                             .body = row.get<std::string>(3),
                             .attempts = row.get<int>(4),
                             .failing_since = row.get<std::optional<Instant>>(5)});
        return found;
    });
}

bool CimMessages::still_allowed(CimMessageId message, const std::string& url) {
    return connection_.run("looking for a reply address", [&](soci::session& sql) {
        int found = 0;
        sql << "select count(*)::int from cim_message m join exchange_contract c on c.id = m.contract join "
               "cim_dialect d on d.contract = c.id where m.id = :id and not c.disabled and :url = any "
               "(d.reply_to)",
            use(message), use(url), soci::into(found);
        return found > 0;
    });
}

void CimMessages::sent(const CimReply& reply, bool delivered, std::optional<Instant> next, int status,
                       const std::string& error) {
    connection_.run("noting that a reply was sent", [&](soci::session& sql) {
        const std::string state = delivered ? "delivered" : next ? "waiting" : "dead";
        sql << "update cim_reply set state = :state, attempts = attempts + 1, next_us = coalesce(:next, "
               "next_us), failing_since_us = :since, status = :status, error = :error where message = "
               ":message and piece = :piece",
            use(state), use(next), use(reply.failing_since), use(status), use(error), use(reply.message),
            use(reply.piece);
    });
}

int CimMessages::drop(Instant before) {
    return connection_.run("forgetting old messages", [&](soci::session& sql) {
        soci::statement drop =
            (sql.prepare << "delete from cim_message m where received_us < :before and (reply_to is null or "
                            "closed) and not exists (select from cim_reply r where r.message = m.id and "
                            "r.state = 'waiting')",
             use(before));
        drop.execute(true);
        return static_cast<int>(drop.get_affected_rows());
    });
}

}  // namespace wattmesh::headend::database
