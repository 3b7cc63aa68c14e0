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
    std::string statement =
        "select (s.day - date '1970-01-01')::int, coalesce(tv.name, ''), v.name, count(*) filter (where "
        "s.kind = 'sale'), count(*) filter (where s.kind = 'payment'), sum(s.tender)::bigint, "
        "sum(s.tenths)::bigint, sum(s.free_tenths)::bigint";
    std::string sums = "select";
    for (std::size_t i = 0; i < SalesDay{}.by_kind.size(); ++i) {
        const auto kind = std::string{to_string(static_cast<pricing::LineKind>(i))};
        statement += ", coalesce(sum(l." + kind + "), 0)::bigint";
        sums +=
            std::string{i == 0 ? "" : ","} + " sum(amount) filter (where kind = '" + kind + "') as " + kind;
    }
    const auto rows = span_rows(
        connection_, span,
        statement +
            " from sale s join vendor v on v.id = s.vendor left join tariff_version tv on tv.id = "
            "s.tariff_version cross join lateral (" +
            sums + " from sale_line where sale = s.id) l where s.kind in ('sale', 'payment', 'claim') and" +
            issued_in_span + "group by 1, 2, 3 order by 1, 2, 3",
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
        std::string{"select l.name, l.ppm, count(distinct s.id), sum(l.base)::bigint, sum(l.amount)::bigint "
                    "from sale s join sale_line l on l.sale = s.id where l.kind = 'tax' and"} +
            issued_in_span + "group by 1, 2 order by 1, 2",
        "adding taxes up");
    std::vector<TaxSum> taxes;
    taxes.reserve(static_cast<std::size_t>(rows.size()));
    for (int i = 0; i < rows.size(); ++i)
        taxes.push_back({.name = sales_text(rows, i, 0),
                         .share = {static_cast<std::int32_t>(rows.integer(i, 1))},
                         .sales = rows.integer(i, 2),
                         .base = {rows.integer(i, 3)},
                         .amount = {rows.integer(i, 4)}});
    return taxes;
}

std::vector<DebtState> SalesReader::debts(const SalesSpan& span) {
    const auto rows = span_rows(
        connection_, span,
        std::string{"select a.number, a.name, d.name, d.recovery, d.original, coalesce(p.paid, 0)::bigint, "
                    "d.balance, d.held::int from customer_debt d join customer_account a on a.id = d.account "
                    "left join (select l.debt, sum(l.amount) as paid from sale s join sale_line l on l.sale "
                    "= s.id where l.kind = 'debt' and"} +
            issued_in_span +
            "group by 1) p on p.debt = d.id where a.tenant = $1 and (d.balance > 0 or p.paid > 0) order by "
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
                         .balance = {rows.integer(i, 6)},
                         .held = rows.integer(i, 7) != 0});
    return debts;
}

std::vector<FreeClaim> SalesReader::free_claims(const SalesSpan& span) {
    const auto rows = span_rows(
        connection_, span,
        std::string{
            "select (s.day - date '1970-01-01')::int, a.number, a.name, m.meter_number, s.id, "
            "s.free_tenths from sale s join customer_account a on a.id = s.account join "
            "prepaid_meter m on m.id = s.meter where s.kind in ('sale', 'claim') and s.free_tenths > 0 "
            "and"} +
            issued_in_span + "order by s.day, a.number, s.id",
        "listing free units");
    std::vector<FreeClaim> claims;
    claims.reserve(static_cast<std::size_t>(rows.size()));
    for (int i = 0; i < rows.size(); ++i)
        claims.push_back({.day = sales_day(rows.integer(i, 0)),
                          .account = sales_text(rows, i, 1),
                          .customer = sales_text(rows, i, 2),
                          .meter = sales_text(rows, i, 3),
                          .sale = {rows.integer(i, 4)},
                          .units = {rows.integer(i, 5)}});
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
