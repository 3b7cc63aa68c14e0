#include "headend/database/deliveries.h"

#include <array>

#include "headend/database/bindings.h"

namespace wattmesh::headend::database {
namespace {

constexpr std::array<std::string_view, 7> states{"waiting", "sending", "taken",    "reconnecting",
                                                 "done",    "failed",  "cancelled"};
constexpr const char* delivery_columns =
    "select d.sale, m.number, m.tenant, k.cosem_model, d.state, d.detail, d.attempts, d.created_us, "
    "d.deadline_us, d.taken_us, d.finished_us, d.balance, d.balance_unit, d.balance_scale::int, "
    "coalesce(d.relay, ''), d.relay_job, (s.confirmed_us is not null)::int, d.orders, "
    "(s.kind = 'key_change')::int ";
constexpr const char* joined =
    " join meter m on m.id = d.meter join meter_model k on k.name = m.model join sale s on s.id = d.sale ";

Delivery delivery_of(const soci::row& row) {
    Delivery delivery;
    delivery.sale = row.get<SaleId>(0);
    delivery.meter = row.get<DeviceNumber>(1);
    delivery.tenant = row.get<TenantId>(2);
    delivery.cosem_model = row.get<std::string>(3);
    const auto word = row.get<std::string>(4);
    for (std::size_t i = 0; i < states.size(); ++i)
        if (states[i] == word) delivery.state = static_cast<DeliveryState>(i);
    delivery.detail = row.get<std::string>(5);
    delivery.attempts = row.get<int>(6);
    delivery.created = row.get<Instant>(7);
    delivery.deadline = row.get<Instant>(8);
    delivery.taken = row.get<std::optional<Instant>>(9);
    delivery.finished = row.get<std::optional<Instant>>(10);
    if (row.get_indicator(11) == soci::i_ok)
        delivery.balance = MeterBalance{row.get<long long>(11), row.get<int>(13), row.get<std::string>(12)};
    delivery.relay = row.get<std::string>(14);
    delivery.relay_job = row.get<std::optional<JobId>>(15);
    delivery.confirmed = row.get<int>(16) != 0;
    delivery.orders = row.get<int>(17);
    delivery.key_change = row.get<int>(18) != 0;
    return delivery;
}

}  // namespace

std::string_view to_string(DeliveryState state) { return states[static_cast<std::size_t>(state)]; }

std::string parcel_purpose(SaleId sale, int place) {
    return "delivery " + std::to_string(sale.value) + " " + std::to_string(place);
}

std::vector<Delivery> Deliveries::claim(Instant now, Instant until, int most) {
    auto found = connection_.run("claiming deliveries of tokens", [&](soci::session& sql) {
        std::vector<Delivery> due;
        const soci::rowset<soci::row> rows =
            (sql.prepare << std::string{"with d as (update vend_delivery set next_us = :until where sale in "
                                        "(select sale from vend_delivery due where finished_us is null "
                                        "and next_us <= :now and (taken_us is not null or not exists (select "
                                        "from vend_delivery before where before.meter = due.meter and "
                                        "before.sale < due.sale and before.finished_us is null and "
                                        "before.taken_us is null)) order by next_us, sale limit :most for "
                                        "update skip locked) returning *) "} +
                                delivery_columns + "from d" + joined + "order by d.sale",
             use(until), use(now), use(most));
        for (const auto& row : rows) due.push_back(delivery_of(row));
        return due;
    });
    for (auto& delivery : found) read_tokens(delivery);
    return found;
}

std::optional<Delivery> Deliveries::find(SaleId sale) {
    auto found = connection_.run("finding a delivery", [&](soci::session& sql) -> std::optional<Delivery> {
        const soci::rowset<soci::row> rows =
            (sql.prepare << std::string{delivery_columns} + "from vend_delivery d" + joined +
                                "where d.sale = :sale",
             use(sale));
        for (const auto& row : rows) return delivery_of(row);
        return std::nullopt;
    });
    if (found) read_tokens(*found);
    return found;
}

void Deliveries::read_tokens(Delivery& delivery) {
    connection_.run("reading the tokens of a delivery", [&](soci::session& sql) {
        const soci::rowset<soci::row> rows =
            (sql.prepare << "select place, sealed, coalesce(result, '') from vend_delivery_token where sale "
                            "= :sale order by place",
             use(delivery.sale));
        for (const auto& row : rows) {
            DeliveryToken token{row.get<int>(0), {}, row.get<std::string>(2)};
            if (row.get_indicator(1) == soci::i_ok) token.sealed = from_bytea(row.get<std::string>(1));
            delivery.tokens.push_back(std::move(token));
        }
    });
}

bool Deliveries::send(SaleId sale) {
    return connection_.run("noting that a token goes out", [&](soci::session& sql) {
        soci::statement update =
            (sql.prepare << "update vend_delivery set state = 'sending', sent = true where sale = :sale and "
                            "state in ('waiting', 'sending')",
             use(sale));
        update.execute(true);
        return update.get_affected_rows() == 1;
    });
}

void Deliveries::unsent(SaleId sale) {
    connection_.run("noting that no token went out", [&](soci::session& sql) {
        sql << "update vend_delivery set state = 'waiting', sent = false where sale = :sale and state = "
               "'sending'",
            use(sale);
    });
}

void Deliveries::took(SaleId sale, int place, const std::string& result, Instant now) {
    connection_.run("noting that a meter has its token", [&](soci::session& sql) {
        sql << "update vend_delivery_token set sealed = null, result = :result where sale = :sale and place "
               "= :place",
            use(result), use(sale), use(place);
        sql << "update vend_delivery set sent = true, attempts = 0, next_us = :now where sale = :sale",
            use(now), use(sale);
        int whole = 0;
        sql << "with over as (update vend_delivery set state = 'taken', taken_us = :now, detail = '' where "
               "sale = :sale and state in ('waiting', 'sending') and not exists (select from "
               "vend_delivery_token where sale = :sale and sealed is not null) returning sale), noted as "
               "(select vend_journal_append(:now, s.id, 'delivered', s.operator, (select "
               "string_agg(t.result, ' ' order by t.place) from vend_delivery_token t where t.sale = s.id)) "
               "from sale s join over on over.sale = s.id) select count(*)::int from noted",
            soci::use(now, "now"), soci::use(sale, "sale"), soci::into(whole);
    });
}

void Deliveries::accepted(SaleId sale, int place, const std::string& result, Instant now) {
    connection_.run("noting that a meter has a section of a key", [&](soci::session& sql) {
        sql << "update vend_delivery_token set result = case when place = :place then :result when :place > "
               "0 then result end where sale = :sale",
            soci::use(place, "place"), soci::use(result, "result"), soci::use(sale, "sale");
        sql << "update vend_delivery set sent = true, next_us = :now where sale = :sale", use(now), use(sale);
    });
}

void Deliveries::refused(SaleId sale, int place, const std::string& result, Instant now) {
    connection_.run("noting that a meter refuses its token", [&](soci::session& sql) {
        sql << "update vend_delivery_token set result = :result where sale = :sale and place = :place",
            use(result), use(sale), use(place);
        sql << "update vend_delivery set state = 'failed', detail = :result, finished_us = :now, sent = "
               "exists (select from vend_delivery_token where sale = :sale and sealed is null) where sale = "
               ":sale and state in ('waiting', 'sending')",
            soci::use(result, "result"), soci::use(now, "now"), soci::use(sale, "sale");
    });
}

void Deliveries::saw(SaleId sale, const MeterBalance& balance) {
    connection_.run("noting a meter's balance", [&](soci::session& sql) {
        const long long amount = balance.amount;
        sql << "update vend_delivery set balance = :amount, balance_unit = :unit, balance_scale = :scale "
               "where sale = :sale",
            use(amount), use(balance.unit), use(balance.scale), use(sale);
    });
}

bool Deliveries::reconnecting(SaleId sale, JobId job) {
    return connection_.run("noting that a meter is connected again", [&](soci::session& sql) {
        soci::statement update =
            (sql.prepare << "update vend_delivery set state = 'reconnecting', relay_job "
                            "= :job, orders = orders + 1, detail = '' where sale = :sale and "
                            "state = 'taken'",
             use(job), use(sale));
        update.execute(true);
        return update.get_affected_rows() == 1;
    });
}

void Deliveries::undecided(SaleId sale) {
    connection_.run("noting that a meter was not connected again", [&](soci::session& sql) {
        sql << "update vend_delivery set state = 'taken' where sale = :sale and state = 'reconnecting'",
            use(sale);
    });
}

void Deliveries::postpone(SaleId sale, const std::string& detail, Instant next) {
    connection_.run("postponing a delivery", [&](soci::session& sql) {
        sql << "update vend_delivery set attempts = attempts + 1, detail = :detail, next_us = :next where "
               "sale = :sale and finished_us is null",
            use(detail), use(next), use(sale);
    });
}

void Deliveries::finish(SaleId sale, const std::string& detail, const std::string& relay, Instant now) {
    connection_.run("finishing a delivery", [&](soci::session& sql) {
        sql << "update vend_delivery set state = case when taken_us is null then 'failed' else 'done' end, "
               "detail = :detail, relay = nullif(:relay, ''), finished_us = :now where sale = :sale and "
               "finished_us is null",
            use(detail), use(relay), use(now), use(sale);
    });
}

bool Deliveries::cut_off(DeviceNumber meter) {
    return connection_.run("looking for the last order to a breaker", [&](soci::session& sql) {
        const std::string subject = to_string(meter);
        int off = 0;
        sql << "select (j.parameters like '%\"disconnect\"%')::int from job_item i join job j on j.id = "
               "i.job "
               "where i.subject = :subject and (i.sent or i.state = 'done') and j.kind = 'relay' order by "
               "i.finished_us "
               "desc, i.job desc limit 1",
            use(subject), soci::into(off);
        if (sql.got_data() && off != 0) return true;
        int being_cut = 0;
        sql << "select exists (select from job_item i join job j on j.id = i.job where i.state = 'working' "
               "and "
               "i.subject = :subject and j.kind = 'relay' and j.parameters like '%\"disconnect\"%')::int",
            use(subject), soci::into(being_cut);
        return being_cut != 0;
    });
}

}  // namespace wattmesh::headend::database
