#include "headend/database/webhooks.h"

#include "headend/database/bindings.h"
#include "headend/database/copy_in.h"

namespace wattmesh::headend::database {
namespace {

WebhookMessage message_of(const soci::row& row) {
    return {.position = row.get<long long>(0),
            .message = row.get<long long>(1),
            .dead = row.get<int>(2) != 0,
            .attempts = row.get<int>(3),
            .status = row.get<int>(4),
            .at = row.get<Instant>(5),
            .body = row.get<std::string>(6)};
}

WebhookLane lane_of(const soci::row& row) {
    WebhookLane lane;
    lane.webhook = row.get<WebhookId>(0);
    lane.lane = row.get<int>(1);
    lane.position = row.get<long long>(2);
    lane.attempts = row.get<int>(3);
    lane.next = row.get<Instant>(4);
    lane.failing_since = row.get<std::optional<Instant>>(5);
    lane.last_status = row.get<int>(6);
    lane.last_error = row.get<std::string>(7);
    return lane;
}

constexpr const char* message_columns =
    "select position, message, state::int, attempts, status, at_us, body from webhook_message ";
constexpr const char* lane_columns =
    "webhook, lane::int, position, attempts, next_us, failing_since_us, coalesce(last_status, 0), "
    "coalesce(last_error, '')";

int affected(soci::statement& statement) {
    statement.execute(true);
    return static_cast<int>(statement.get_affected_rows());
}

}  // namespace

WebhookId Webhooks::put(const Webhook& webhook, Instant now) {
    return connection_.run("storing a webhook", [&](soci::session& sql) {
        WebhookId id;
        const auto secret = bytea(webhook.secret), words = array_text(webhook.topics);
        const int lanes = Webhook::lanes;
        const std::string form = webhook.cim ? "cim" : "cloudevents";
        sql << "insert into webhook (contract, name, url, secret, topics, batch, form, created_us) values "
               "(:contract, :name, :url, cast(:secret as bytea), cast(:topics as text[]), :batch, :form, "
               ":now) on conflict (contract, name) do update set url = excluded.url, secret = "
               "excluded.secret, topics = excluded.topics, batch = excluded.batch, form = excluded.form, "
               "disabled_why = null returning id",
            use(webhook.contract.id), use(webhook.name), use(webhook.url), use(secret), use(words),
            use(webhook.batch), use(form), use(now), soci::into(id);
        sql << "insert into webhook_lane (webhook, lane, position) select :id, lane, head.position from "
               "generate_series(0, :lanes - 1) lane, outbox_head head on conflict (webhook, lane) do update "
               "set attempts = 0, next_us = 0, failing_since_us = null",
            use(id), use(lanes);
        return id;
    });
}

std::int64_t Webhooks::pass_forgotten(WebhookId webhook) {
    return connection_.run("looking what was forgotten", [&](soci::session& sql) {
        long long places = 0;
        sql << "select coalesce(max(h.dropped - l.position), 0) from webhook_lane l, outbox_head h where "
               "l.webhook = :id and l.position < h.dropped",
            use(webhook), soci::into(places);
        sql << "update webhook_lane l set position = h.dropped from outbox_head h where l.webhook = :id and "
               "l.position < h.dropped",
            use(webhook);
        return std::int64_t{places};
    });
}

bool Webhooks::disable(WebhookId webhook, const std::string& why) {
    return connection_.run("disabling a webhook", [&](soci::session& sql) {
        soci::statement update =
            (sql.prepare << "update webhook set disabled_why = :why where id = :id and disabled_why is null",
             use(why), use(webhook));
        return affected(update) == 1;
    });
}

std::vector<Webhook> Webhooks::all() {
    const auto contracts = Contracts{connection_}.all();
    return connection_.run("listing webhooks", [&](soci::session& sql) {
        std::vector<Webhook> found;
        const soci::rowset<soci::row> rows =
            (sql.prepare
             << "select w.id, w.contract, w.name, w.url, w.secret::text, w.topics::text, w.batch, "
                "coalesce(w.disabled_why, ''), w.form from webhook w join exchange_contract c on c.id = "
                "w.contract order by c.name, w.name");
        for (const auto& row : rows)
            for (const auto& contract : contracts)
                if (contract.id == row.get<ContractId>(1))
                    found.push_back({.id = row.get<WebhookId>(0),
                                     .contract = contract,
                                     .name = row.get<std::string>(2),
                                     .url = row.get<std::string>(3),
                                     .secret = from_bytea(row.get<std::string>(4)),
                                     .topics = array_words(row.get<std::string>(5)),
                                     .batch = row.get<int>(6),
                                     .cim = row.get<std::string>(8) == "cim",
                                     .disabled_why = row.get<std::string>(7)});
        return found;
    });
}

std::vector<Webhook> Webhooks::enabled() {
    auto found = all();
    std::erase_if(found, [](const Webhook& webhook) {
        return webhook.contract.disabled || !webhook.disabled_why.empty();
    });
    return found;
}

std::vector<WebhookLane> Webhooks::lanes(WebhookId webhook) {
    return connection_.run("looking at a webhook", [&](soci::session& sql) {
        std::vector<WebhookLane> found;
        const soci::rowset<soci::row> rows =
            (sql.prepare << std::string{"select "} + lane_columns +
                                " from webhook_lane where webhook = :id order by lane",
             use(webhook));
        for (const auto& row : rows) found.push_back(lane_of(row));
        return found;
    });
}

std::optional<WebhookLane> Webhooks::claim(WebhookId webhook, int lane, const std::string& owner, Instant now,
                                           Instant until) {
    return connection_.run("taking a webhook's lane", [&](soci::session& sql) -> std::optional<WebhookLane> {
        const soci::rowset<soci::row> rows =
            (sql.prepare
                 << std::string{"update webhook_lane set owner = :owner, owner_until_us = :until where "
                                "webhook = :webhook and lane = :lane and (owner is null or owner = "
                                ":owner or owner_until_us <= :now) returning "} +
                        lane_columns,
             soci::use(owner, "owner"), soci::use(until, "until"), soci::use(webhook, "webhook"),
             soci::use(lane, "lane"), soci::use(now, "now"));
        for (const auto& row : rows) return lane_of(row);
        return std::nullopt;
    });
}

bool Webhooks::store(const WebhookLane& lane, const std::string& owner,
                     const std::vector<WebhookMessage>& sent) {
    Transaction transaction{connection_};
    const bool ours = connection_.run("storing where a webhook stands", [&](soci::session& sql) {
        soci::statement update =
            (sql.prepare << "update webhook_lane set position = :position, attempts = :attempts, next_us = "
                            ":next, failing_since_us = :since, last_status = :status, last_error = :error "
                            "where webhook = :webhook and lane = :lane and owner = :owner",
             use(lane.position), use(lane.attempts), use(lane.next), use(lane.failing_since),
             use(lane.last_status), use(lane.last_error), use(lane.webhook), use(lane.lane), use(owner));
        return affected(update) == 1;
    });
    if (!ours) return false;
    if (!sent.empty()) {
        CopyIn copy{
            connection_,
            "webhook_message (webhook, position, message, state, attempts, status, at_us, body, again)"};
        for (const auto& message : sent) {
            copy.row(9);
            copy.i32(lane.webhook.value);
            copy.i64(message.position);
            copy.i64(message.message);
            copy.i16(message.dead ? 1 : 0);
            copy.i32(message.attempts);
            copy.i32(message.status);
            copy.i64(epoch_us(message.at));
            copy.text(message.body);
            copy.boolean(false);
        }
        copy.finish();
    }
    transaction.commit();
    return true;
}

std::vector<WebhookMessage> Webhooks::messages(WebhookId webhook, bool dead_only, std::int64_t after,
                                               int count_max) {
    return connection_.run("reading what was sent", [&](soci::session& sql) {
        std::vector<WebhookMessage> found;
        const long long from = after;
        const soci::rowset<soci::row> rows =
            (sql.prepare << std::string{message_columns} + "where webhook = :webhook and position > :after" +
                                (dead_only ? " and state = 1" : "") + " order by position limit :count",
             use(webhook), use(from), use(count_max));
        for (const auto& row : rows) found.push_back(message_of(row));
        return found;
    });
}

int Webhooks::send_again(WebhookId webhook, std::int64_t from, std::int64_t to, bool all) {
    return connection_.run("ordering that messages are sent again", [&](soci::session& sql) {
        const long long first = from, last = to;
        soci::statement update =
            (sql.prepare
                 << std::string{"update webhook_message set again = true where webhook = :webhook and "
                                "position between :first and :last"} +
                        (all ? "" : " and state = 1"),
             use(webhook), use(first), use(last));
        return affected(update);
    });
}

std::vector<WebhookMessage> Webhooks::again(WebhookId webhook, int count_max) {
    return connection_.run("looking for messages to send again", [&](soci::session& sql) {
        std::vector<WebhookMessage> found;
        const soci::rowset<soci::row> rows =
            (sql.prepare << std::string{message_columns} +
                                "where webhook = :webhook and again order by position limit :count",
             use(webhook), use(count_max));
        for (const auto& row : rows) found.push_back(message_of(row));
        return found;
    });
}

void Webhooks::sent_again(WebhookId webhook, const WebhookMessage& message) {
    connection_.run("storing that a message was sent again", [&](soci::session& sql) {
        const int state = message.dead ? 1 : 0;
        sql << "update webhook_message set again = false, state = :state, attempts = :attempts, status = "
               ":status, at_us = :at where webhook = :webhook and position = :position",
            use(state), use(message.attempts), use(message.status), use(message.at), use(webhook),
            use(message.position);
    });
}

int Webhooks::drop(Instant before, int most) {
    return connection_.run("forgetting what was sent", [&](soci::session& sql) {
        soci::statement drop =
            (sql.prepare << "delete from webhook_message where (webhook, position) in (select webhook, "
                            "position from webhook_message where at_us < :before and not again order by "
                            "at_us limit :most)",
             use(before), use(most));
        return affected(drop);
    });
}

bool Webhooks::delivered_since(WebhookId webhook, Instant since) {
    return connection_.run("looking what a webhook took", [&](soci::session& sql) {
        int any = 0;
        sql << "select exists (select from webhook_message where webhook = :webhook and state = 0 and at_us "
               ">= :since)::int",
            use(webhook), use(since), soci::into(any);
        return any != 0;
    });
}

}  // namespace wattmesh::headend::database
