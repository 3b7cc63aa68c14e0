#include "headend/database/prepayment_book.h"

#include "headend/database/bindings.h"
#include "headend/database/vendors.h"

namespace wattmesh::headend::database {
namespace {

constexpr Duration quarter = std::chrono::minutes{15};

Instant next_quarter(Instant now) {
    const auto since = now.time_since_epoch();
    const auto over = since % quarter;
    return over == Duration{} ? now : Instant{since - over + quarter};
}
std::chrono::sys_days booked_day(int number) { return std::chrono::sys_days{std::chrono::days{number}}; }
std::optional<std::string> maybe_text(const soci::row& row, std::size_t column) {
    if (row.get_indicator(column) == soci::i_null) return std::nullopt;
    return row.get<std::string>(column);
}

const std::string line_query =
    "select a.number, a.name, coalesce(x.meter_number, ''), m.number, (e.to_us is null)::int, p.balance, "
    "p.supply, p.said, p.actual_to_us, (select n.at_us from prepayment_notice n where n.account = p.account "
    "and n.number = 1 and n.over_us is null), (select n.at_us from prepayment_notice n where n.account = "
    "p.account and n.number = 2 and n.over_us is null), p.supply_us, p.job, p.held_why, p.disputed_why from "
    "prepayment p join customer_account a on a.id = p.account cross join lateral (select o.* from "
    "prepayment_enrolment o where o.account = p.account order by o.from_us desc, o.id desc limit 1) e join "
    "meter m on m.id = e.meter left join prepaid_meter x on x.id = e.prepaid_meter ";

PrepaymentLine line_of(const soci::row& row) {
    PrepaymentLine line{.account = row.get<std::string>(0),
                        .customer = row.get<std::string>(1),
                        .meter_number = row.get<std::string>(2),
                        .meter = row.get<DeviceNumber>(3),
                        .enrolled = row.get<int>(4) != 0,
                        .balance = {row.get<long long>(5)},
                        .supply = row.get<std::string>(6),
                        .said = row.get<std::string>(7),
                        .actual_to = row.get<std::optional<Instant>>(8),
                        .first_notice = row.get<std::optional<Instant>>(9),
                        .second_notice = row.get<std::optional<Instant>>(10),
                        .supply_since = row.get<std::optional<Instant>>(11),
                        .job = {},
                        .flags = {maybe_text(row, 13), maybe_text(row, 14)}};
    if (row.get_indicator(12) == soci::i_ok) line.job = row.get<long long>(12);
    return line;
}

/// The account that a meter is or was last enrolled for.
constexpr const char* account_of_meter =
    "(select o.account from prepayment_enrolment o join meter n on n.id = o.meter where n.number = :meter "
    "order by o.from_us desc, o.id desc limit 1)";

}  // namespace

Enrolled PrepaymentBook::enrol(DeviceNumber device, Instant now, const std::string& by,
                               const std::string& why) {
    long long meter = 0, prepaid = 0, account = 0;
    int tenant = 0, whole = 0, there = 0;
    soci::indicator has_account{};
    std::string number;
    const bool known = connection_.run("looking up a meter to enrol", [&](soci::session& sql) {
        soci::indicator has_number{}, has_prepaid{};
        sql << "select m.id, m.tenant, x.id, a.id, a.number, (exists (select from channel_map c where "
               "c.model = m.model and c.bank = 1 and c.channel = 1 and c.scaler = 0 and c.unit = 30))::int, "
               "(exists (select from prepayment_enrolment e where e.to_us is null and (e.meter = m.id or "
               "e.account = a.id)))::int from meter m left join prepaid_meter x on x.meter = m.id left join "
               "customer_account a on a.id = x.account where m.number = :device",
            use(device), soci::into(meter), soci::into(tenant), soci::into(prepaid, has_prepaid),
            soci::into(account, has_account), soci::into(number, has_number), soci::into(whole),
            soci::into(there);
        return sql.got_data();
    });
    if (!known) return Enrolled::unknown_meter;
    if (has_account != soci::i_ok) return Enrolled::no_account;
    if (there != 0) return Enrolled::already;
    if (whole == 0) return Enrolled::unit;
    const auto ledger = Vendors{connection_}.account(TenantId{tenant}, "customer", number);
    connection_.run("enrolling an account", [&](soci::session& sql) {
        const Instant from = next_quarter(now);
        sql << "insert into prepayment (account, tenant, area, ledger, charge_us, decide_us) select "
               ":account, m.tenant, m.area, :ledger, :now, :now from meter m where m.id = :meter on conflict "
               "(account) do nothing",
            soci::use(account, "account"), soci::use(ledger, "ledger"), soci::use(now, "now"),
            soci::use(meter, "meter");
        sql << "insert into prepayment_enrolment (account, prepaid_meter, meter, from_us, enrolled_by, "
               "enrolled_why) values (:account, :prepaid, :meter, :from, :by, :why)",
            use(account), use(prepaid), use(meter), use(from), use(by), use(why);
    });
    return Enrolled::done;
}

bool PrepaymentBook::leave(DeviceNumber device, Instant now, const std::string& by, const std::string& why) {
    return connection_.run("taking an account out of the mode", [&](soci::session& sql) {
        const Instant to = next_quarter(now);
        soci::statement end =
            (sql.prepare << "update prepayment_enrolment set to_us = greatest(from_us, cast(:to as bigint)), "
                            "left_by = :by, left_why = :why where to_us is null and meter = (select id from "
                            "meter where number = :meter)",
             use(to), use(by), use(why), use(device));
        end.execute(true);
        if (end.get_affected_rows() != 1) return false;
        const std::string query =
            std::string{"update prepayment set charge_us = 0, decide_us = 0 where account = "} +
            account_of_meter;
        sql << query, use(device);
        return true;
    });
}

std::optional<PrepaymentFlags> PrepaymentBook::flags(DeviceNumber device) {
    const auto line = find(device);
    return line && line->enrolled ? std::optional{line->flags} : std::nullopt;
}

bool PrepaymentBook::set_flags(DeviceNumber device, const PrepaymentFlags& flags) {
    return connection_.run("holding an account", [&](soci::session& sql) {
        const std::string held = flags.held.value_or(""), disputed = flags.disputed.value_or("");
        soci::indicator has_held = flags.held ? soci::i_ok : soci::i_null,
                        is_disputed = flags.disputed ? soci::i_ok : soci::i_null;
        soci::statement update =
            (sql.prepare << "update prepayment set held_why = :held, disputed_why = :disputed, decide_us = 0 "
                            "where account = (select e.account from prepayment_enrolment e join meter m on "
                            "m.id = e.meter where m.number = :meter and e.to_us is null)",
             soci::use(held, has_held), soci::use(disputed, is_disputed), use(device));
        update.execute(true);
        return update.get_affected_rows() == 1;
    });
}

std::optional<int> PrepaymentBook::correct(DeviceNumber device, const IntervalVersion& version) {
    return connection_.run("correcting an interval", [&](soci::session& sql) -> std::optional<int> {
        const int estimated = version.estimated ? 1 : 0;
        const long long wh = version.wh;
        int number = 0;
        sql << "insert into interval_version (meter, bank, channel, at_us, version, value, estimated, "
               "made_us, "
               "made_by, reason, tenant, area) select r.meter, 1, 1, r.at_us, coalesce((select "
               "max(v.version) "
               "from interval_version v where v.meter = r.meter and v.bank = 1 and v.channel = 1 and v.at_us "
               "= r.at_us), 0) + 1, :wh, cast(:estimated as integer) = 1, :made, :by, :reason, m.tenant, "
               "m.area from meter m join interval_row r on r.meter = m.id and r.bank = 1 and r.at_us = :at "
               "where m.number = :meter returning version",
            soci::use(wh, "wh"), soci::use(estimated, "estimated"), soci::use(version.at, "at"),
            soci::use(version.made, "made"), soci::use(version.by, "by"), soci::use(version.reason, "reason"),
            soci::use(device, "meter"), soci::into(number);
        if (!sql.got_data()) return std::nullopt;
        const std::string query =
            std::string{"update prepayment set swept_day = null, charge_us = 0 where account = "} +
            account_of_meter;
        sql << query, use(device);
        return number;
    });
}

std::vector<PrepaymentLine> PrepaymentBook::list(int most) {
    return connection_.run("listing accounts in the mode", [&](soci::session& sql) {
        std::vector<PrepaymentLine> found;
        const soci::rowset<soci::row> rows =
            (sql.prepare << line_query + "order by 5 desc, p.balance, a.number limit :most", use(most));
        for (const auto& row : rows) found.push_back(line_of(row));
        return found;
    });
}

std::optional<PrepaymentLine> PrepaymentBook::find(DeviceNumber device) {
    return connection_.run("finding an account in the mode",
                           [&](soci::session& sql) -> std::optional<PrepaymentLine> {
                               const std::string query = line_query + "where p.account = " + account_of_meter;
                               const soci::rowset<soci::row> rows = (sql.prepare << query, use(device));
                               for (const auto& row : rows) return line_of(row);
                               return std::nullopt;
                           });
}

std::vector<PrepaymentEnrolment> PrepaymentBook::enrolments(DeviceNumber device) {
    return connection_.run("listing enrolments", [&](soci::session& sql) {
        std::vector<PrepaymentEnrolment> found;
        const std::string query =
            std::string{
                "select m.number, e.from_us, e.to_us, e.enrolled_by, e.enrolled_why, "
                "coalesce(e.left_by, ''), coalesce(e.left_why, '') from prepayment_enrolment e join "
                "meter m on m.id = e.meter where e.account = "} +
            account_of_meter + " order by e.from_us desc, e.id desc";
        const soci::rowset<soci::row> rows = (sql.prepare << query, use(device));
        for (const auto& row : rows)
            found.push_back({row.get<DeviceNumber>(0), row.get<Instant>(1),
                             row.get<std::optional<Instant>>(2), row.get<std::string>(3),
                             row.get<std::string>(4), row.get<std::string>(5), row.get<std::string>(6)});
        return found;
    });
}

std::vector<PrepaymentNotice> PrepaymentBook::notices(DeviceNumber device, int most) {
    return connection_.run("listing notices", [&](soci::session& sql) {
        std::vector<PrepaymentNotice> found;
        const std::string query =
            std::string{
                "select n.number::int, n.at_us, n.balance, n.words, n.channel, n.over_us from "
                "prepayment_notice n where n.account = "} +
            account_of_meter + " order by n.id desc limit :most";
        const soci::rowset<soci::row> rows =
            (sql.prepare << query, soci::use(device, "meter"), soci::use(most, "most"));
        for (const auto& row : rows)
            found.push_back({row.get<int>(0),
                             row.get<Instant>(1),
                             {row.get<long long>(2)},
                             row.get<std::string>(3),
                             row.get<std::string>(4),
                             row.get<std::optional<Instant>>(5)});
        return found;
    });
}

std::vector<PrepaymentDayLine> PrepaymentBook::days(DeviceNumber device, int most) {
    return connection_.run("listing charged days", [&](soci::session& sql) {
        std::vector<PrepaymentDayLine> found;
        const std::string query =
            std::string{
                "select d.day - date '1970-01-01', v.name, d.wh, d.intervals, d.doubtful, (select "
                "count(*)::int from prepayment_charge c where c.account = d.account and c.day = "
                "d.day), d.amount from prepayment_day d join tariff_version v on v.id = d.version "
                "where d.account = "} +
            account_of_meter + " order by d.day desc limit :most";
        const soci::rowset<soci::row> rows =
            (sql.prepare << query, soci::use(device, "meter"), soci::use(most, "most"));
        for (const auto& row : rows)
            found.push_back({booked_day(row.get<int>(0)),
                             row.get<std::string>(1),
                             row.get<long long>(2),
                             row.get<int>(3),
                             row.get<int>(4),
                             row.get<int>(5),
                             {row.get<long long>(6)}});
        return found;
    });
}

prepayment::Rules prepayment_rules(Connection& connection, TenantId tenant) {
    return connection.run("reading the rules of prepayment", [&](soci::session& sql) {
        prepayment::Rules rules;
        int second = 0, cut = 0, late = 0, charge = 0;
        sql << "select first_notice_below, second_notice_below, cut_below, reconnect_from, "
               "second_notice_after_s, cut_after_s, late_s, charge_every_s from prepayment_rule where tenant "
               "= :tenant",
            use(tenant), soci::into(rules.first_notice_below.minor),
            soci::into(rules.second_notice_below.minor), soci::into(rules.cut_below.minor),
            soci::into(rules.reconnect_from.minor), soci::into(second), soci::into(cut), soci::into(late),
            soci::into(charge);
        rules.second_notice_after = std::chrono::seconds{second};
        rules.cut_after = std::chrono::seconds{cut};
        rules.late = std::chrono::seconds{late};
        rules.charge_every = std::chrono::seconds{charge};
        return rules;
    });
}

PrepaymentPolicy PrepaymentBook::policy(TenantId tenant) {
    PrepaymentPolicy policy{.rules = prepayment_rules(connection_, tenant), .hours = {}, .holidays = {}};
    connection_.run("reading when supply may be cut", [&](soci::session& sql) {
        const soci::rowset<soci::row> hours =
            (sql.prepare << "select weekday::int, from_minute, to_minute from prepayment_hours where tenant "
                            "= :tenant and area is null order by 1, 2",
             use(tenant));
        for (const auto& row : hours)
            policy.hours.push_back({row.get<int>(0), row.get<int>(1), row.get<int>(2)});
        const soci::rowset<soci::row> holidays =
            (sql.prepare << "select day - date '1970-01-01', name from prepayment_holiday where tenant = "
                            ":tenant and area is null order by day",
             use(tenant));
        for (const auto& row : holidays)
            policy.holidays.push_back({booked_day(row.get<int>(0)), row.get<std::string>(1)});
    });
    return policy;
}

void PrepaymentBook::set_policy(TenantId tenant, const PrepaymentPolicy& policy) {
    connection_.run("storing the rules of prepayment", [&](soci::session& sql) {
        const auto seconds = [](Duration duration) {
            return static_cast<int>(std::chrono::duration_cast<std::chrono::seconds>(duration).count());
        };
        const auto& rules = policy.rules;
        const long long first = rules.first_notice_below.minor, second = rules.second_notice_below.minor,
                        cut = rules.cut_below.minor, on = rules.reconnect_from.minor;
        const int second_after = seconds(rules.second_notice_after), cut_after = seconds(rules.cut_after),
                  late = seconds(rules.late), charge = seconds(rules.charge_every);
        sql << "update prepayment_rule set first_notice_below = :first, second_notice_below = :second, "
               "cut_below = :cut, reconnect_from = :on, second_notice_after_s = :second_after, cut_after_s = "
               ":cut_after, late_s = :late, charge_every_s = :charge where tenant = :tenant",
            use(first), use(second), use(cut), use(on), use(second_after), use(cut_after), use(late),
            use(charge), use(tenant);
        sql << "delete from prepayment_hours where tenant = :tenant and area is null", use(tenant);
        sql << "delete from prepayment_holiday where tenant = :tenant and area is null", use(tenant);
        for (const auto& hours : policy.hours)
            sql << "insert into prepayment_hours values (:tenant, null, :weekday, :from, :to)", use(tenant),
                use(hours.weekday), use(hours.from_minute), use(hours.to_minute);
        for (const auto& holiday : policy.holidays) {
            const int day = static_cast<int>(holiday.day.time_since_epoch().count());
            sql << "insert into prepayment_holiday values (:tenant, null, date '1970-01-01' + cast(:day as "
                   "integer), :name)",
                use(tenant), use(day), use(holiday.name);
        }
    });
}

}  // namespace wattmesh::headend::database
