#include "headend/database/outbox.h"

#include <algorithm>

#include "headend/database/binary_rows.h"
#include "headend/database/bindings.h"

namespace wattmesh::headend::database {

int Outbox::seal(Instant now, int most) {
    return connection_.run("sealing the outbox", [&](soci::session& sql) {
        int sealed = 0;
        sql << "select outbox_seal(:now, :most)", use(now), use(most), soci::into(sealed);
        return sealed;
    });
}

std::int64_t Outbox::head() {
    return connection_.run("looking at the outbox", [&](soci::session& sql) {
        long long head = 0;
        sql << "select position from outbox_head", soci::into(head);
        return std::int64_t{head};
    });
}

OutboxPage Outbox::after(const Contract& contract, const std::vector<std::string>& wanted, OutboxShare share,
                         std::int64_t position, int count_max) {
    OutboxPage page;
    page.position = std::max(head(), position);
    std::vector<std::string> told;  // a contract may have lost a topic since
    for (const auto& topic : wanted)
        if (std::find(contract.topics.begin(), contract.topics.end(), topic) != contract.topics.end())
            told.push_back(topic);
    std::string where =
        "tenant = $1 and position > $2 and position <= $3 and mod(order_key, $4) = $5 and "
        "topic = any ('" +
        array_text(told) + "')";
    where += " and (topic <> 'job' or ordered_by = any ('" +
             array_text(std::vector<std::string>{"partner:" + contract.name}) + "'))";
    if (contract.areas) where += " and area = any ('" + array_text(*contract.areas) + "')";
    const BinaryRows rows{
        connection_,
        "select o.id, position, at_us, topic, type, subject, (case when a.code is null then data else "
        "jsonb_set(data, '{code}', to_jsonb(a.code)) end)::text from outbox o left join exchange_alias a on "
        "a.contract = $6 and topic = 'event' and a.name = data ->> 'name' where " +
            where + " order by position limit $7",
        {contract.tenant.value, position, page.position, share.lanes, share.lane, contract.id.value,
         count_max},
        "reading the outbox"};
    for (int i = 0; i < rows.size(); ++i)
        page.messages.push_back({.id = rows.integer(i, 0),
                                 .position = rows.integer(i, 1),
                                 .topic = std::string{rows.text(i, 3)},
                                 .type = std::string{rows.text(i, 4)},
                                 .subject = std::string{rows.text(i, 5)},
                                 .at = from_epoch_us(rows.integer(i, 2)),
                                 .data = std::string{rows.text(i, 6)}});
    if (rows.size() == count_max) page.position = page.messages.back().position;
    return page;
}

int Outbox::drop(Instant sealed_before, int most) {
    return connection_.run("forgetting old messages", [&](soci::session& sql) {
        int dropped = 0;
        sql << "with free as (select coalesce(least((select min(l.position) from webhook_lane l join webhook "
               "w on w.id = l.webhook join exchange_contract c on c.id = w.contract where w.disabled_why is "
               "null and not c.disabled), (select min(f.position) from partner_feed f join "
               "exchange_contract c on c.id = f.contract where f.moved_us >= :before and not c.disabled)), "
               "(select position from outbox_head)) as until), gone as (delete from outbox where id in "
               "(select id from outbox, free where sealed_us < :before and position <= free.until order by "
               "sealed_us, position limit :most) returning position), noted as (update outbox_head set "
               "dropped = "
               "greatest(dropped, (select max(position) from gone)) where exists (select from gone)) select "
               "count(*)::int from gone",
            soci::use(sealed_before, "before"), soci::use(most, "most"), soci::into(dropped);
        return dropped;
    });
}

std::int64_t Outbox::dropped() {
    return connection_.run("looking at what was forgotten", [&](soci::session& sql) {
        long long dropped = 0;
        sql << "select dropped from outbox_head", soci::into(dropped);
        return std::int64_t{dropped};
    });
}

std::optional<std::int64_t> Outbox::confirmed(ContractId contract) {
    return connection_.run("looking at a partner's feed", [&](soci::session& sql) {
        long long position = 0;
        sql << "select position from partner_feed where contract = :contract", use(contract),
            soci::into(position);
        return sql.got_data() ? std::optional{std::int64_t{position}} : std::nullopt;
    });
}

void Outbox::confirm(ContractId contract, std::int64_t position, Instant now) {
    connection_.run("noting how far a partner is", [&](soci::session& sql) {
        const long long to = position;
        sql << "insert into partner_feed as f (contract, position, moved_us) values (:contract, :to, :now) "
               "on conflict (contract) do update set position = greatest(f.position, excluded.position), "
               "moved_us = case when excluded.position > f.position then excluded.moved_us else f.moved_us "
               "end",
            use(contract), use(to), use(now);
    });
}

}  // namespace wattmesh::headend::database
