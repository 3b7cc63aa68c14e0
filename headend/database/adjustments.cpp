#include "headend/database/adjustments.h"

#include <array>

#include "headend/database/bindings.h"

namespace wattmesh::headend::database {
namespace {

struct Words {
    std::string_view word, told;
};
constexpr std::array<Words, 12> adjustment_words{{
    {"no_account", "There is no account of this number."},
    {"no_debt", "This account has no open debt of this name."},
    {"too_much", "The debt is smaller than that by now."},
    {"never_counted", "The server never counted this account: what was bought is in its meter."},
    {"still_counted",
     "The server still counts this account: take its meter out of the mode first (console, Prepayment)."},
    {"not_read",
     "What was used until the account left the mode is not read and charged yet: read the meter, or wait 63 "
     "days, "
     "after which nothing is charged any more."},
    {"nothing_left", "There is nothing in this account to pay out."},
    {"balance_moved", "The balance is not the one that was ordered to be paid out any more: order it again."},
    {"waiting_already", "One of this debt or account waits for a second person already."},
    {"reference_used", "This reference was used for another pay-out."},
    {"key_reused", "The Idempotency-Key came with another order before."},
    {"decided", "It does not wait for anybody: it was posted or refused, or there is none of this number."},
}};

std::optional<AdjustmentRefusal> refusal_of(const std::string& word) {
    if (word.empty()) return std::nullopt;
    for (std::size_t i = 0; i < adjustment_words.size(); ++i)
        if (adjustment_words[i].word == word) return static_cast<AdjustmentRefusal>(i);
    throw DatabaseError(Trouble::refused, "", "an adjustment is refused for an unknown reason");
}

Adjustment adjustment_of(const soci::row& row) {
    Adjustment found{.id = row.get<long long>(0),
                     .kind = row.get<std::string>(1),
                     .state = row.get<std::string>(2),
                     .account = row.get<std::string>(3),
                     .customer = row.get<std::string>(4),
                     .debt = row.get<std::string>(5),
                     .amount = {row.get<long long>(6)},
                     .reference = row.get<std::string>(7),
                     .reason = row.get<std::string>(8),
                     .ordered_by = row.get<std::string>(9),
                     .ordered = row.get<Instant>(10),
                     .decided_by = row.get<std::string>(11),
                     .decided_why = row.get<std::string>(12),
                     .decided = row.get<std::optional<Instant>>(13),
                     .sale = row.get<std::optional<SaleId>>(14)};
    return found;
}

}  // namespace

std::string_view to_string(AdjustmentRefusal refusal) {
    return adjustment_words[static_cast<std::size_t>(refusal)].word;
}
std::string_view explain(AdjustmentRefusal refusal) {
    return adjustment_words[static_cast<std::size_t>(refusal)].told;
}

std::vector<Adjustment> Adjustments::read(const std::string& condition, TenantId tenant,
                                          const std::string& word, std::int64_t number, int most) {
    return connection_.run("reading adjustments", [&](soci::session& sql) {
        const std::string query =
            "select a.id, a.kind, case when s.state = 'reversed' then s.state else a.state end, c.number, "
            "c.name, coalesce(d.name, ''), a.amount, a.reference, a.reason, a.ordered_by, a.ordered_us, "
            "coalesce(a.decided_by, ''), a.decided_why, a.decided_us, a.sale from vend_adjustment a join "
            "customer_account c on c.id = a.account left join customer_debt d on d.id = a.debt left join "
            "sale "
            "s on s.id = a.sale where a.tenant = :tenant and " +
            condition +
            " and cast(:word as text) is not null and cast(:number as bigint) is not null order by a.state "
            "<> "
            "'waiting', a.id desc limit :most";
        const long long which = number;
        std::vector<Adjustment> found;
        const soci::rowset<soci::row> rows =
            (sql.prepare << query, soci::use(tenant, "tenant"), soci::use(word, "word"),
             soci::use(which, "number"), soci::use(most, "most"));
        for (const auto& row : rows) found.push_back(adjustment_of(row));
        return found;
    });
}

std::optional<Adjustment> Adjustments::find(TenantId tenant, std::int64_t id) {
    auto found = read("a.id = :number", tenant, "", id, 1);
    return found.empty() ? std::nullopt : std::optional{std::move(found.front())};
}

std::vector<Adjustment> Adjustments::list(TenantId tenant, const std::string& account, int most) {
    return read("(:word = '' or c.number = :word)", tenant, account, 0, most);
}

std::variant<Adjustments::Subject, AdjustmentRefusal> Adjustments::subject(const AdjustmentOrder& order) {
    return connection_.run(
        "reading what is adjusted", [&](soci::session& sql) -> std::variant<Subject, AdjustmentRefusal> {
            Subject found;
            long long debt = 0, owed = 0, balance = 0;
            sql << "select a.id, coalesce(d.id, 0), coalesce(d.balance, 0), coalesce((select balance from "
                   "prepayment where account = a.id), 0) from customer_account a left join customer_debt d "
                   "on "
                   "d.account = a.id and d.name = :debt and d.balance > 0 where a.tenant = :tenant and "
                   "a.number = :account",
                soci::use(order.debt, "debt"), soci::use(order.tenant, "tenant"),
                soci::use(order.account, "account"), soci::into(found.account), soci::into(debt),
                soci::into(owed), soci::into(balance);
            if (!sql.got_data()) return AdjustmentRefusal::no_account;
            if (order.debt.empty()) {
                found.owed = {balance};
                return found;
            }
            if (debt == 0) return AdjustmentRefusal::no_debt;
            found.debt = debt;
            found.owed = {owed};
            return found;
        });
}

std::optional<AdjustmentRefusal> Adjustments::objection(const Subject& subject, pricing::Money amount,
                                                        Instant now) {
    return connection_.run("asking whether an account can be adjusted", [&](soci::session& sql) {
        const long long debt = subject.debt, wanted = amount.minor;
        std::string word;
        sql << "select vend_adjustment_objection(:account, nullif(cast(:debt as bigint), 0), :amount, :now)",
            use(subject.account), use(debt), use(wanted), use(now), soci::into(word);
        return refusal_of(word);
    });
}

std::variant<Adjustment, AdjustmentRefusal> Adjustments::order(const AdjustmentOrder& order, Instant now) {
    const std::string kind = order.debt.empty() ? "pay_out" : "write_off";
    connection_.run("waiting for the same order", [&](soci::session& sql) {
        sql << "select from pg_advisory_xact_lock(1464683606, hashtext(:key))", use(order.key);
    });
    for (auto& before : read("a.key = :word", order.tenant, order.key, 0, 1)) {
        const bool same = before.kind == kind && before.account == order.account &&
                          before.debt == order.debt &&
                          (order.amount == pricing::Money{} || before.amount == order.amount) &&
                          before.reference == order.reference && before.reason == order.reason;
        if (!same) return AdjustmentRefusal::key_reused;
        return std::move(before);
    }
    const auto about = subject(order);
    if (const auto* no = std::get_if<AdjustmentRefusal>(&about)) return *no;
    const auto& what = std::get<Subject>(about);
    const auto amount = order.debt.empty() || order.amount == pricing::Money{} ? what.owed : order.amount;
    if (const auto no = objection(what, amount, now)) return *no;
    try {
        const auto id = connection_.run("ordering an adjustment", [&](soci::session& sql) {
            const long long which = what.debt, minor = amount.minor;
            long long made = 0;
            sql << "insert into vend_adjustment (tenant, kind, account, debt, amount, reference, reason, "
                   "key, "
                   "ordered_by, ordered_us) values (:tenant, :kind, :account, nullif(cast(:debt as bigint), "
                   "0), :amount, :reference, :reason, :key, :by, :now) returning id",
                use(order.tenant), use(kind), use(what.account), use(which), use(minor), use(order.reference),
                use(order.reason), use(order.key), use(order.by), use(now), soci::into(made);
            return made;
        });
        return find(order.tenant, id).value();
    } catch (const DatabaseError& error) {
        if (error.state() != "23505") throw;
        const std::string words = error.what();
        return words.find("vend_adjustment_reference") != std::string::npos
                   ? AdjustmentRefusal::reference_used
               : words.find("vend_adjustment_waiting") != std::string::npos
                   ? AdjustmentRefusal::waiting_already
                   : AdjustmentRefusal::key_reused;
    }
}

std::optional<AdjustmentRefusal> Adjustments::post(std::int64_t id, const std::string& by,
                                                   const std::string& why, Instant now) {
    return connection_.run("posting an adjustment", [&](soci::session& sql) {
        const long long which = id;
        std::string word;
        sql << "select vend_adjustment_post(:id, :by, :now, :why)", use(which), use(by), use(now), use(why),
            soci::into(word);
        return refusal_of(word);
    });
}

bool Adjustments::refuse(std::int64_t id, const std::string& by, const std::string& why, Instant now) {
    return connection_.run("refusing an adjustment", [&](soci::session& sql) {
        const long long which = id;
        int done = 0;
        sql << "select vend_adjustment_refuse(:id, :by, :now, :why)::int", use(which), use(by), use(now),
            use(why), soci::into(done);
        return done != 0;
    });
}

std::optional<AccountStanding> Adjustments::standing(TenantId tenant, const std::string& account,
                                                     Instant now) {
    AccountStanding found;
    AdjustmentOrder of_balance;
    of_balance.tenant = tenant;
    of_balance.account = account;
    const auto about = subject(of_balance);
    if (std::holds_alternative<AdjustmentRefusal>(about)) return std::nullopt;
    const auto& which = std::get<Subject>(about);
    found.no_pay_out = objection(which, which.owed, now);
    if (found.no_pay_out != AdjustmentRefusal::never_counted) found.balance = which.owed;
    connection_.run("reading an account", [&](soci::session& sql) {
        sql << "select number, name, address from customer_account where id = :id", use(which.account),
            soci::into(found.number), soci::into(found.customer), soci::into(found.address);
        const soci::rowset<soci::row> rows =
            (sql.prepare << "select name, recovery, original, balance, held::int from customer_debt where "
                            "account = :id and balance > 0 order by priority, id",
             use(which.account));
        for (const auto& row : rows)
            found.debts.push_back({row.get<std::string>(0),
                                   row.get<std::string>(1),
                                   {row.get<long long>(2)},
                                   {row.get<long long>(3)},
                                   row.get<int>(4) != 0});
    });
    return found;
}

}  // namespace wattmesh::headend::database
