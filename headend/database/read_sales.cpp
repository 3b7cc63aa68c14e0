#include "headend/database/read_sales.h"

#include <cassert>

#include "headend/database/binary_rows.h"

namespace wattmesh::headend::database {
namespace {

/// Parameters $1 tenant, $2 and $3 the days, $4 how many rows.
BinaryRows span_rows(Connection& connection, const SalesSpan& span, const std::string& statement,
                     std::string_view doing) {
    return {connection,
            statement + " limit $4",
            {span.tenant.value, span.first.time_since_epoch().count(), span.last.time_since_epoch().count(),
             SalesReader::rows_max + 1},
            doing};
}

/// Of a sale that is called s.
constexpr const char* issued_in_span =
    " s.tenant = $1 and s.state = 'issued' and s.day between date '1970-01-01' + $2::int and date "
    "'1970-01-01' + $3::int ";

std::chrono::sys_days sales_day(std::int64_t days) {
    return std::chrono::sys_days{std::chrono::days{static_cast<int>(days)}};
}
std::string sales_text(const BinaryRows& rows, int row, int column) {
    return std::string{rows.text(row, column)};
}

/// What accounts that the server counts used on each day of the span, month by month: `tenths` to be paid,
/// `free_tenths` given. Whole tenths of the month's sum, so that days add up to what the month cost.
constexpr const char* counted_days =
    "with counted as (select account, ledger, day, version, after - before - least(free, after) + "
    "least(free, "
    "before) as tenths, least(free, after) - least(free, before) as free_tenths from (select d.account, "
    "p.ledger, d.day, d.version, (sum(d.wh) over m)::bigint / 100 as after, ((sum(d.wh) over m)::bigint - "
    "d.wh) / 100 as before, first_value(d.free_tenths) over m as free from prepayment_day d join prepayment "
    "p "
    "on p.account = d.account where p.tenant = $1 and d.day between date_trunc('month', date '1970-01-01' + "
    "$2::int)::date and date '1970-01-01' + $3::int window m as (partition by d.account, date_trunc('month', "
    "d.day) order by d.day)) w where day >= date '1970-01-01' + $2::int) ";
/// Its ledger lines: what was charged for a day of `counted` that is called d, by kind and name.
constexpr const char* counted_lines =
    "(select x.kind, x.name, sum(case when x.debit = d.ledger then x.amount else -x.amount end) as amount "
    "from prepayment_charge c join prepayment_line x on x.charge = c.id where c.account = d.account and "
    "c.day "
    "= d.day group by 1, 2) ";

/// `each` of every kind of line, with commas between.
template <class Each>
std::string every_kind(const Each& each) {
    std::string list;
    for (std::size_t i = 0; i < SalesDay{}.by_kind.size(); ++i)
        list += (i == 0 ? "" : ", ") + each(std::string{to_string(static_cast<pricing::LineKind>(i))});
    return list;
}

}  // namespace

std::chrono::sys_days SalesReader::local_day(TenantId tenant, Instant at) {
    const BinaryRows rows{connection_,
                          "select ((timestamptz 'epoch' + $2::bigint * interval '1 microsecond') at time "
                          "zone time_zone)::date - date '1970-01-01' from tenant where id = $1",
                          {tenant.value, epoch_us(at)},
                          "asking for the utility's day"};
    assert(rows.size() == 1);
    return sales_day(rows.integer(0, 0));
}

std::vector<SalesDay> SalesReader::sales(const SalesSpan& span) {
    const auto sums = every_kind([](const std::string& kind) {
        return "coalesce(sum(amount) filter (where kind = '" + kind + "'), 0) as " + kind;
    });
    // A pay-out takes what it pays, and the debts that it pays, out of an account.
    const auto sold = every_kind([](const std::string& kind) {
        return kind == "credit" ? "case s.kind when 'pay_out' then -(l.credit + l.debt) else l.credit end"
                                : "l." + kind;
    });
    const auto charged = every_kind([](const std::string& kind) {
        return kind == "credit" ? "-(l.energy + l.levy + l.tax)" : "l." + kind;
    });
    const auto all = every_kind([](const std::string& kind) { return "sum(" + kind + ")::bigint"; });
    const auto rows = span_rows(
        connection_, span,
        counted_days +
            ("select (day - date '1970-01-01')::int, tariff, vendor, sum(sales)::bigint, "
             "sum(payments)::bigint, sum(tender)::bigint, sum(tenths)::bigint, "
             "sum(free_tenths)::bigint, " +
             all +
             " from (select s.day, coalesce(tv.name, '') as tariff, coalesce(v.name, '') as vendor, (s.kind "
             "= "
             "'sale')::int as sales, (s.kind = 'payment')::int as payments, case s.kind when 'pay_out' then "
             "-l.credit else s.tender end as tender, s.tenths, s.free_tenths, " +
             sold +
             " from sale s left join vendor v on v.id = s.vendor left join tariff_version tv on tv.id = "
             "s.tariff_version cross join lateral (select " +
             sums +
             " from sale_line where sale = s.id) l where s.kind in ('sale', 'payment', 'claim', 'pay_out') "
             "and" +
             issued_in_span + "union all select d.day, tv.name, '', 0, 0, 0, d.tenths, d.free_tenths, " +
             charged +
             " from counted d join tariff_version tv on tv.id = d.version cross join lateral (select " +
             sums + " from " + counted_lines + "x) l) a group by 1, 2, 3 order by 1, 2, 3"),
        "adding sales up");
    std::vector<SalesDay> days;
    for (int i = 0; i < rows.size(); ++i) {
        SalesDay day{.day = sales_day(rows.integer(i, 0)),
                     .tariff = sales_text(rows, i, 1),
                     .vendor = sales_text(rows, i, 2),
                     .sales = rows.integer(i, 3),
                     .payments = rows.integer(i, 4),
                     .tender = {rows.integer(i, 5)},
                     .units = {rows.integer(i, 6)},
                     .free_units = {rows.integer(i, 7)}};
        for (std::size_t kind = 0; kind < day.by_kind.size(); ++kind)
            day.by_kind[kind] = {rows.integer(i, 8 + static_cast<int>(kind))};
        days.push_back(std::move(day));
    }
    return days;
}

std::vector<TaxSum> SalesReader::taxes(const SalesSpan& span) {
    const auto rows = span_rows(
        connection_, span,
        counted_days +
            (std::string{
                 "select name, ppm, count(distinct sale), count(*) filter (where sale is null), "
                 "sum(base)::bigint, sum(amount)::bigint from (select l.name, l.ppm, s.id as sale, "
                 "l.base, l.amount from sale s join sale_line l on l.sale = s.id where l.kind = 'tax' "
                 "and"} +
             issued_in_span +
             "union all select l.name, t.ppm, null, n.energy + case when t.on_levies then n.levy else 0 end, "
             "l.amount from counted d cross join lateral (select coalesce(sum(amount) filter (where kind = "
             "'energy'), 0) as energy, coalesce(sum(amount) filter (where kind = 'levy'), 0) as levy from " +
             counted_lines + "x) n cross join lateral " + counted_lines +
             "l join (select version, name, sum(ppm)::int as ppm, bool_or(on_levies) as on_levies from "
             "tariff_tax group by 1, 2) t on t.version = d.version and t.name = l.name where l.kind = 'tax' "
             "and "
             "l.amount <> 0) a group by 1, 2 order by 1, 2"),
        "adding taxes up");
    std::vector<TaxSum> taxes;
    taxes.reserve(static_cast<std::size_t>(rows.size()));
    for (int i = 0; i < rows.size(); ++i)
        taxes.push_back({.name = sales_text(rows, i, 0),
                         .share = {static_cast<std::int32_t>(rows.integer(i, 1))},
                         .sales = rows.integer(i, 2),
                         .charged_days = rows.integer(i, 3),
                         .base = {rows.integer(i, 4)},
                         .amount = {rows.integer(i, 5)}});
    return taxes;
}

std::vector<DebtState> SalesReader::debts(const SalesSpan& span) {
    const auto rows = span_rows(
        connection_, span,
        std::string{
            "select a.number, a.name, d.name, d.recovery, d.original, coalesce(p.paid, 0)::bigint, "
            "d.balance, d.held::int, coalesce(p.written_off, 0)::bigint from customer_debt d join "
            "customer_account a on a.id = d.account left join (select l.debt, sum(l.amount) filter "
            "(where s.kind <> 'write_off') as paid, sum(l.amount) filter (where s.kind = 'write_off') "
            "as written_off from sale s join sale_line l on l.sale = s.id where l.kind = 'debt' and"} +
            issued_in_span +
            "group by 1) p on p.debt = d.id where a.tenant = $1 and (d.balance > 0 or p.debt is not null) "
            "order by "
            "a.number, d.priority, d.id",
        "listing debts");
    std::vector<DebtState> debts;
    debts.reserve(static_cast<std::size_t>(rows.size()));
    for (int i = 0; i < rows.size(); ++i)
        debts.push_back({.account = sales_text(rows, i, 0),
                         .customer = sales_text(rows, i, 1),
                         .name = sales_text(rows, i, 2),
                         .recovery = sales_text(rows, i, 3),
                         .original = {rows.integer(i, 4)},
                         .paid = {rows.integer(i, 5)},
                         .written_off = {rows.integer(i, 8)},
                         .balance = {rows.integer(i, 6)},
                         .held = rows.integer(i, 7) != 0});
    return debts;
}

std::vector<FreeClaim> SalesReader::free_claims(const SalesSpan& span) {
    const auto rows = span_rows(
        connection_, span,
        counted_days +
            (std::string{
                 "select (s.day - date '1970-01-01')::int, a.number, a.name, m.meter_number, s.id, "
                 "s.free_tenths from sale s join customer_account a on a.id = s.account join "
                 "prepaid_meter m on m.id = s.meter where s.kind in ('sale', 'claim') and s.free_tenths > 0 "
                 "and"} +
             issued_in_span +
             "union all select (d.day - date '1970-01-01')::int, a.number, a.name, m.meter_number, null, "
             "d.free_tenths::bigint from counted d join customer_account a on a.id = d.account join tenant t "
             "on "
             "t.id = a.tenant cross join lateral (select e.prepaid_meter from prepayment_enrolment e where "
             "e.account = d.account and e.from_us < at_us((d.day + 1)::timestamp at time zone t.time_zone) "
             "order by e.from_us desc, e.id desc limit 1) e join prepaid_meter m on m.id = e.prepaid_meter "
             "where "
             "d.free_tenths > 0 order by 1, 2, 5"),
        "listing free units");
    std::vector<FreeClaim> claims;
    claims.reserve(static_cast<std::size_t>(rows.size()));
    for (int i = 0; i < rows.size(); ++i) {
        claims.push_back({.day = sales_day(rows.integer(i, 0)),
                          .account = sales_text(rows, i, 1),
                          .customer = sales_text(rows, i, 2),
                          .meter = sales_text(rows, i, 3),
                          .sale = {},
                          .units = {rows.integer(i, 5)}});
        if (const auto sale = rows.maybe(i, 4)) claims.back().sale = SaleId{*sale};
    }
    return claims;
}

std::vector<VendAnomaly> SalesReader::anomalies(const SalesSpan& span) {
    const auto bulk = std::to_string(bulk_sales), load = std::to_string(load_wh);
    const auto rows = span_rows(
        connection_, span,
        "with t as (select id, time_zone, at_us((date '1970-01-01' + $2::int)::timestamp at time zone "
        "time_zone) as low, at_us((date '1970-01-01' + $3::int + 1)::timestamp at time zone time_zone) as "
        "high from tenant where id = $1), s as (select s.*, (at_time(s.at_us) at time zone t.time_zone) as "
        "local from sale s join t on t.id = s.tenant where s.at_us >= t.low and s.at_us < t.high) "
        "select what, at_us, subject, detail, tenths from ("
        "select 'token_without_sale' as what, f.at_us, 'meter ' || f.meter_pan as subject, 'call ' || "
        "f.module_sequence || ' of the module, ' || f.request as detail, f.tenths from vend_foreign_call f "
        "join t on f.at_us >= t.low and f.at_us < t.high "
        "union all select 'units_given', s.at_us, 'meter ' || m.meter_number, s.operator || ': ' || "
        "s.reason, s.tenths from s join prepaid_meter m on m.id = s.meter where s.kind in ('free', "
        "'transfer') and s.state = 'issued' "
        "union all select 'money_back', s.at_us, 'meter ' || m.meter_number, 'sale ' || s.id || ' of ' || "
        "s.operator || ' was taken back', s.tenths + s.free_tenths from s join prepaid_meter m on m.id = "
        "s.meter where s.state = 'reversed' and exists (select from vend_token k where k.sale = s.id and "
        "k.module_sequence is not null) "
        "union all select 'night_run', min(s.at_us), 'till ' || e.name, count(*) || ' sales by ' || "
        "s.operator || ' in one hour', sum(s.tenths)::bigint from s join vend_terminal e on e.id = "
        "s.terminal where s.state in ('issued', 'reversed') and s.kind in ('sale', 'free', 'claim', "
        "'transfer') and "
        "(extract(hour from s.local) >= 22 or extract(hour from s.local) < 5) group by e.name, s.operator, "
        "date_trunc('hour', s.local) having count(*) >= " +
            bulk +
            " union all select 'load_without_purchase', t.high, 'meter ' || i.meter_number, i.used_wh || "
            "' Wh used, ' || coalesce('bought last on ' || i.bought, 'never bought anything'), null from t "
            "cross join lateral vend_idle_meters(t.id, t.low, t.high, " +
            load + ") i) a order by at_us desc, what, subject",
        "looking for anomalies of sales");
    std::vector<VendAnomaly> anomalies;
    for (int i = 0; i < rows.size(); ++i) {
        VendAnomaly anomaly{.what = sales_text(rows, i, 0),
                            .at = Instant{std::chrono::microseconds{rows.integer(i, 1)}},
                            .subject = sales_text(rows, i, 2),
                            .detail = sales_text(rows, i, 3),
                            .units = {}};
        if (const auto tenths = rows.maybe(i, 4)) anomaly.units = pricing::Tenths{*tenths};
        anomalies.push_back(std::move(anomaly));
    }
    return anomalies;
}

}  // namespace wattmesh::headend::database
