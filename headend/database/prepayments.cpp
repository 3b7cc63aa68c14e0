#include "headend/database/prepayments.h"

#include "headend/database/bindings.h"
#include "headend/database/prepayment_book.h"
#include "headend/database/validation_days.h"
#include "headend/database/vend_anchors.h"
#include "headend/database/vendors.h"

namespace wattmesh::headend::database {
namespace {

using prepayment::Situation;
constexpr Duration period = std::chrono::minutes{15};  // of bank 1

std::chrono::sys_days day_of(int number) { return std::chrono::sys_days{std::chrono::days{number}}; }
int number_of(std::chrono::sys_days day) { return static_cast<int>(day.time_since_epoch().count()); }

constexpr const char* account_columns =
    "select p.account, p.tenant, a.number, a.tariff, p.ledger, m.id, m.number, o.validation_class, "
    "l.at::date - date '1970-01-01', coalesce(p.swept_day, date '1970-01-01') - date '1970-01-01', case "
    "when a.free_month >= extract(year from l.at) * 12 + extract(month from l.at) - 1 then 0 else "
    "a.free_tenths end, p.supply, p.job, r.charge_every_s from prepayment p join customer_account a on a.id "
    "= p.account join tenant t on t.id = p.tenant join prepayment_rule r on r.tenant = p.tenant cross join "
    "lateral (select e.meter from prepayment_enrolment e where e.account = p.account order by e.from_us "
    "desc, e.id desc limit 1) e join meter m on m.id = e.meter join meter_model o on o.name = m.model cross "
    "join lateral (select at_time(cast(:now as bigint)) at time zone t.time_zone as at) l ";

PrepaymentAccount account_of(const soci::row& row) {
    return {.id = row.get<PrepaidAccountId>(0),
            .tenant = row.get<TenantId>(1),
            .number = row.get<std::string>(2),
            .tariff = row.get<TariffId>(3),
            .ledger = row.get<LedgerAccountId>(4),
            .meter = row.get<MeterId>(5),
            .device = row.get<DeviceNumber>(6),
            .meter_class = row.get<std::string>(7),
            .today = day_of(row.get<int>(8)),
            .swept = day_of(row.get<int>(9)),
            .free_units = {row.get<int>(10)},
            .supply = prepayment::parse_supply(row.get<std::string>(11)),
            .job = row.get<std::optional<JobId>>(12),
            .charge_every = std::chrono::seconds{row.get<int>(13)}};
}

PrepaymentDay day_of(const soci::row& row) {
    return {.day = day_of(row.get<int>(0)),
            .version = row.get<pricing::TariffVersionId>(1),
            .free_units = {row.get<int>(2)},
            .wh = row.get<long long>(3),
            .intervals = row.get<int>(4),
            .doubtful = row.get<int>(5)};
}

std::vector<PrepaidAccountId> due(Connection& connection, const char* column, Instant now, int most) {
    return connection.run("listing accounts that the server counts", [&](soci::session& sql) {
        std::vector<PrepaidAccountId> found;
        const std::string query = std::string{"select account from prepayment where "} + column +
                                  " <= :now order by " + column + ", account limit :most";
        const soci::rowset<soci::row> rows = (sql.prepare << query, use(now), use(most));
        for (const auto& row : rows) found.push_back(row.get<PrepaidAccountId>(0));
        return found;
    });
}

void read_calendar(soci::session& sql, PrepaidAccountId account, Instant now, Situation& situation) {
    int day = 0, today = 0, tomorrow = 0;
    sql << "select l.at::date - date '1970-01-01', extract(hour from l.at)::int * 60 + extract(minute from "
           "l.at)::int, (exists (select from prepayment_holiday h where h.tenant = p.tenant and (h.area is "
           "null or h.area = p.area) and h.day = l.at::date))::int, (exists (select from prepayment_holiday "
           "h where h.tenant = p.tenant and (h.area is null or h.area = p.area) and h.day = l.at::date + "
           "1))::int from prepayment p join tenant t on t.id = p.tenant cross join lateral (select "
           "at_time(cast(:now as bigint)) at time zone t.time_zone as at) l where p.account = :account",
        soci::use(now, "now"), soci::use(account, "account"), soci::into(day), soci::into(situation.minute),
        soci::into(today), soci::into(tomorrow);
    situation.day = day_of(day);
    situation.holiday = today != 0;
    situation.holiday_tomorrow = tomorrow != 0;
    const soci::rowset<soci::row> hours =
        (sql.prepare << "select h.weekday::int, h.from_minute, h.to_minute from prepayment p join "
                        "prepayment_hours h on h.tenant = p.tenant where p.account = :account and (h.area = "
                        "p.area or h.area is null and not exists (select from prepayment_hours o where "
                        "o.tenant = p.tenant and o.area = p.area)) order by 1, 2",
         use(account));
    for (const auto& row : hours)
        situation.hours.push_back({row.get<int>(0), row.get<int>(1), row.get<int>(2)});
}

}  // namespace

std::vector<PrepaidAccountId> Prepayments::due_to_charge(Instant now, int most) {
    return due(connection_, "charge_us", now, most);
}
std::vector<PrepaidAccountId> Prepayments::due_to_decide(Instant now, int most) {
    return due(connection_, "decide_us", now, most);
}

std::optional<PrepaymentAccount> Prepayments::read(const char* condition, long long which, Instant now) {
    return connection_.run("reading an account that the server counts",
                           [&](soci::session& sql) -> std::optional<PrepaymentAccount> {
                               const soci::rowset<soci::row> rows =
                                   (sql.prepare << std::string{account_columns} + condition,
                                    soci::use(now, "now"), soci::use(which, "which"));
                               for (const auto& row : rows) return account_of(row);
                               return std::nullopt;
                           });
}

std::optional<PrepaymentAccount> Prepayments::hold(PrepaidAccountId account, Instant now) {
    return read("where p.account = :which for update of p skip locked", account.value, now);
}

std::optional<PrepaymentAccount> Prepayments::of_meter(DeviceNumber meter, Instant now) {
    return read(
        "where p.account = (select x.account from prepayment_enrolment x join meter n on n.id = x.meter "
        "where n.number = :which and x.to_us is null)",
        static_cast<long long>(meter.integer()), now);
}

std::int64_t Prepayments::wh_max(const PrepaymentAccount& account) {
    return validation::energy_max(validation_classes(connection_).at(account.meter_class), period);
}

std::vector<PrepaymentDay> Prepayments::used(const PrepaymentAccount& account, std::chrono::sys_days first,
                                             Instant now, std::int64_t wh_max) {
    return connection_.run("adding up what an account used", [&](soci::session& sql) {
        std::vector<PrepaymentDay> found;
        const int from = number_of(first), free = static_cast<int>(account.free_units.count);
        const long long most = wh_max;
        const soci::rowset<soci::row> rows =
            (sql.prepare
                 << "select u.day - date '1970-01-01', coalesce(d.version, v.id), coalesce(f.free_tenths, "
                    "cast(:free as integer)), u.wh, u.intervals, u.doubtful, u.newest from (select "
                    "(at_time(i.at_us - 1) at time zone z.time_zone)::date as day, coalesce(sum(i.wh) filter "
                    "(where i.actual), 0)::bigint as wh, (count(*) filter (where i.actual))::int as "
                    "intervals, (count(*) filter (where not i.actual))::int as doubtful, max(i.at_us) filter "
                    "(where i.actual) as newest from tenant z cross join lateral "
                    "prepayment_intervals(:account, at_us((date '1970-01-01' + cast(:first as "
                    "integer))::timestamp at time zone z.time_zone), :now, :most) i where z.id = :tenant "
                    "group by 1) u join tenant t on t.id = :tenant left join prepayment_day d on d.account = "
                    ":account and d.day = u.day left join lateral (select k.free_tenths from prepayment_day "
                    "k where k.account = :account and date_trunc('month', k.day) = date_trunc('month', "
                    "u.day) order by k.day limit 1) f on true left join lateral (select x.id from "
                    "tariff_version x where x.tariff = :tariff and x.valid_from_us <= "
                    "at_us(u.day::timestamp at time zone t.time_zone) order by x.valid_from_us desc limit 1) "
                    "v on true where coalesce(d.version, v.id) is not null order by u.day",
             soci::use(free, "free"), soci::use(account.id, "account"), soci::use(from, "first"),
             soci::use(now, "now"), soci::use(most, "most"), soci::use(account.tenant, "tenant"),
             soci::use(account.tariff, "tariff"));
        for (const auto& row : rows) {
            found.push_back(day_of(row));
            found.back().newest = row.get<std::optional<Instant>>(6);
        }
        return found;
    });
}

std::vector<PrepaymentDay> Prepayments::kept(PrepaidAccountId account, std::chrono::sys_days first,
                                             std::chrono::sys_days last) {
    return connection_.run("reading the charged days of an account", [&](soci::session& sql) {
        std::vector<PrepaymentDay> found;
        const int from = number_of(first), to = number_of(last);
        const soci::rowset<soci::row> rows =
            (sql.prepare << "select day - date '1970-01-01', version, free_tenths, wh, intervals, doubtful "
                            "from prepayment_day where account = :account and day between date '1970-01-01' "
                            "+ cast(:from as integer) and date '1970-01-01' + cast(:to as integer) order by "
                            "day",
             use(account), use(from), use(to));
        for (const auto& row : rows) found.push_back(day_of(row));
        return found;
    });
}

std::map<std::chrono::sys_days, pricing::Parts> Prepayments::posted(PrepaidAccountId account,
                                                                    std::chrono::sys_days first,
                                                                    std::chrono::sys_days last) {
    return connection_.run("reading what days were charged", [&](soci::session& sql) {
        std::map<std::chrono::sys_days, pricing::Parts> days;
        const int from = number_of(first), to = number_of(last);
        const soci::rowset<soci::row> rows =
            (sql.prepare
                 << "select c.day - date '1970-01-01', l.kind, l.name, sum(case when l.debit = p.ledger then "
                    "l.amount else -l.amount end)::bigint from prepayment p join prepayment_charge c on "
                    "c.account = p.account join prepayment_line l on l.charge = c.id where p.account = "
                    ":account and c.day between date '1970-01-01' + cast(:from as integer) and date "
                    "'1970-01-01' + cast(:to as integer) group by 1, 2, 3",
             use(account), use(from), use(to));
        for (const auto& row : rows) {
            const auto kind = row.get<std::string>(1);
            const auto word = kind == "energy" ? pricing::LineKind::energy
                              : kind == "levy" ? pricing::LineKind::levy
                                               : pricing::LineKind::tax;
            days[day_of(row.get<int>(0))][{word, row.get<std::string>(2)}] = {row.get<long long>(3)};
        }
        return days;
    });
}

void Prepayments::charge(const PrepaymentAccount& account, const PrepaymentCharge& change) {
    Vendors books{connection_};
    const auto& day = change.day;
    const int number = number_of(day.day), free = static_cast<int>(day.free_units.count);
    const long long wh = day.wh, before = change.wh_before, total = change.total.minor,
                    moved = pricing::sum_of(change.parts).minor;
    long long charge = 0;
    connection_.run("keeping what a day was charged", [&](soci::session& sql) {
        if (!change.parts.empty())
            sql << "insert into prepayment_charge (account, day, at_us, version, wh_before, wh) values "
                   "(:account, date '1970-01-01' + cast(:day as integer), :at, :version, :before, :wh) "
                   "returning id",
                use(account.id), use(number), use(change.at), use(day.version), use(before), use(wh),
                soci::into(charge);
        sql << "insert into prepayment_day (account, day, version, free_tenths, wh, intervals, doubtful, "
               "amount) values (:account, date '1970-01-01' + cast(:day as integer), :version, :free, :wh, "
               ":intervals, :doubtful, :total) on conflict (account, day) do update set wh = excluded.wh, "
               "intervals = excluded.intervals, doubtful = excluded.doubtful, amount = excluded.amount",
            use(account.id), use(number), use(day.version), use(free), use(wh), use(day.intervals),
            use(day.doubtful), use(total);
        sql << "update prepayment set balance = balance - :moved where account = :account", use(moved),
            use(account.id);
    });
    int place = 0;
    for (const auto& [what, amount] : change.parts) {
        const std::string kind{to_string(what.first)};
        const auto other = books.account(account.tenant, kind, what.second);
        const bool back = amount < pricing::Money{};
        const auto &debit = back ? other : account.ledger, &credit = back ? account.ledger : other;
        const long long size = back ? -amount.minor : amount.minor;
        connection_.run("posting a charge", [&](soci::session& sql) {
            sql << "insert into prepayment_line values (:charge, :place, :kind, :name, :amount, :debit, "
                   ":credit)",
                use(charge), use(place), use(kind), use(what.second), use(size), use(debit), use(credit);
        });
        ++place;
    }
}

void Prepayments::charged(PrepaidAccountId account, std::optional<Instant> newest, bool swept,
                          std::chrono::sys_days today, Instant next) {
    connection_.run("noting that an account was charged", [&](soci::session& sql) {
        const int all = swept ? 1 : 0, day = number_of(today);
        sql << "update prepayment set actual_to_us = greatest(actual_to_us, cast(:newest as bigint)), "
               "swept_day = case when cast(:all as integer) = 1 then date '1970-01-01' + cast(:day as "
               "integer) else swept_day end, charge_us = :next, decide_us = 0 where account = :account",
            use(newest), use(all), use(day), use(next), use(account);
    });
}

Situation Prepayments::situation(const PrepaymentAccount& account, Instant now, std::int64_t wh_max) {
    const auto rules = prepayment_rules(connection_, account.tenant);
    return connection_.run("reading what is decided by", [&](soci::session& sql) {
        Situation found;
        found.now = now;
        found.rules = rules;
        int enrolled = 0, held = 0, disputed = 0, others = 0;
        std::string supply;
        soci::indicator first_there{}, second_there{}, actual_there{};
        long long first = 0, second = 0, actual = 0;
        const auto subject = to_string(account.device);
        sql << "select (exists (select from prepayment_enrolment e where e.account = p.account and e.to_us "
               "is null))::int, p.balance, p.supply, (p.held_why is not null)::int, (p.disputed_why is not "
               "null)::int, (select n.at_us from prepayment_notice n where n.account = p.account and "
               "n.number = 1 and n.over_us is null), (select n.at_us from prepayment_notice n where "
               "n.account = p.account and n.number = 2 and n.over_us is null), p.actual_to_us, coalesce("
               "(select (j.requested_by <> 'prepayment' and j.parameters like '%\"disconnect\"%' and "
               "i.finished_us >= p.supply_us)::int from job_item i join job j on j.id = i.job where "
               "i.subject "
               "= :subject and (i.sent or i.state = 'done') and j.kind = 'relay' order by i.finished_us "
               "desc, i.job desc "
               "limit 1), 0) from prepayment p where p.account = :account",
            soci::use(subject, "subject"), soci::use(account.id, "account"), soci::into(enrolled),
            soci::into(found.balance.minor), soci::into(supply), soci::into(held), soci::into(disputed),
            soci::into(first, first_there), soci::into(second, second_there),
            soci::into(actual, actual_there), soci::into(others);
        found.enrolled = enrolled != 0;
        found.supply = prepayment::parse_supply(supply);
        found.held = held != 0;
        found.disputed = disputed != 0;
        found.cut_by_others = others != 0;
        if (first_there == soci::i_ok) found.first = from_epoch_us(first);
        if (second_there == soci::i_ok) found.second = from_epoch_us(second);
        if (actual_there == soci::i_ok) found.actual_to = from_epoch_us(actual);
        const Instant since = now - found.rules.late;
        const long long most = wh_max;
        sql << "select count(*)::int from prepayment_intervals(:account, :since, :now, :most) where not "
               "actual",
            use(account.id), use(since), use(now), use(most), soci::into(found.doubtful);
        read_calendar(sql, account.id, now, found);
        return found;
    });
}

bool Prepayments::notify(const PrepaymentAccount& account, int number, const std::string& words,
                         Instant now) {
    return connection_.run("giving notice", [&](soci::session& sql) {
        int given = 0;
        sql << "select prepayment_notify(:account, :meter, :number, :now, :words)::int", use(account.id),
            use(account.meter), use(number), use(now), use(words), soci::into(given);
        return given != 0;
    });
}

void Prepayments::notices_over(PrepaidAccountId account, int from_number, Instant now) {
    connection_.run("ending notices", [&](soci::session& sql) {
        sql << "update prepayment_notice set over_us = :now where account = :account and number >= :from and "
               "over_us is null",
            use(now), use(account), use(from_number);
    });
}

void Prepayments::set_supply(PrepaidAccountId account, prepayment::Supply supply, std::optional<JobId> job,
                             Instant now) {
    connection_.run("noting what became of a supply", [&](soci::session& sql) {
        const std::string word{prepayment::to_string(supply)};
        sql << "update prepayment set supply = :word, job = :job, supply_us = :now where account = :account",
            use(word), use(job), use(now), use(account);
    });
}

void Prepayments::decided(PrepaidAccountId account, std::string_view said, Instant next) {
    connection_.run("noting a decision", [&](soci::session& sql) {
        const std::string word{said};
        sql << "update prepayment set said = :word, decide_us = :next where account = :account", use(word),
            use(next), use(account);
    });
}

int Prepayments::cuts_since(TenantId tenant, Instant since) {
    return connection_.run("counting what prepayment cut off", [&](soci::session& sql) {
        int count = 0;
        sql << "select coalesce(sum(total), 0)::int from job where tenant = :tenant and kind = 'relay' and "
               "requested_by = 'prepayment' and parameters like '%\"disconnect\"%' and created_us >= :since",
            use(tenant), use(since), soci::into(count);
        return count;
    });
}

std::optional<JobItem> Prepayments::outcome(const PrepaymentAccount& account) {
    if (!account.job) return std::nullopt;
    return connection_.run(
        "looking what became of a supply", [&](soci::session& sql) -> std::optional<JobItem> {
            const auto subject = to_string(account.device);
            JobItem item;
            item.subject = subject;
            std::string state;
            sql << "select place, state, detail from job_item where job = :job and subject = :subject",
                use(*account.job), use(subject), soci::into(item.place), soci::into(state),
                soci::into(item.detail);
            if (!sql.got_data()) return std::nullopt;
            item.state = parse_item_state(state).value();
            return item;
        });
}

}  // namespace wattmesh::headend::database
