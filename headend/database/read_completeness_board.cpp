#include <array>

#include "headend/database/binary_rows.h"
#include "headend/database/bindings.h"
#include "headend/database/read_completeness.h"

namespace wattmesh::headend::database {
namespace {

/// Of completeness_cell k, in the order of counts_of.
constexpr const char* sums =
    "sum(k.expected), sum(k.received), sum(k.first_try), sum(k.by_8h), sum(k.by_24h), sum(k.by_72h), "
    "sum(k.expected) filter (where k.by_8h is not null), sum(k.expected) filter (where k.by_24h is not "
    "null), "
    "sum(k.expected) filter (where k.by_72h is not null), sum(k.meters), sum(k.meters_complete), "
    "sum(k.missing[1]), sum(k.missing[2]), sum(k.missing[3]), sum(k.missing[4]), sum(k.missing[5]), "
    "sum(k.missing[6]), sum(k.missing[7]), sum(k.missing[8]), sum(k.missing[9])";

CompletenessCounts counts_of(const BinaryRows& rows, int row, int column) {
    CompletenessCounts out;
    const auto next = [&] { return rows.maybe(row, column++).value_or(0); };
    for (auto* sum : {&out.expected, &out.received, &out.first_try, &out.by_8h, &out.by_24h, &out.by_72h,
                      &out.expected_8h, &out.expected_24h, &out.expected_72h})
        *sum = next();
    out.meters = static_cast<int>(next());
    out.meters_complete = static_cast<int>(next());
    for (auto& count : out.missing) count = next();
    return out;
}

long long number_of(UtcDay day) { return day.time_since_epoch().count(); }

constexpr const char* excused = "(7, 8)";  // outage, out of service

}  // namespace

std::int64_t CompletenessReader::bank_of(const ObisCode& profile) {
    return connection_.run("looking up a bank", [&](soci::session& sql) {
        long long bank = -1;
        sql << "select coalesce((select id from bank where profile = :profile), -1)::bigint", use(profile),
            soci::into(bank);
        return bank;
    });
}

std::vector<CompletenessCell> CompletenessReader::board(const ObisCode& profile, UtcDay first, UtcDay last) {
    const BinaryRows rows{
        connection_,
        "with k as (select k.concentrator, k.day, " + std::string{sums} +
            " from completeness_cell k where k.bank = $1 and k.day between $2 and $3 group by 1, 2), "
            "c as (select id, number from concentrator c where exists (select from meter m where "
            "m.concentrator = c.id)) "
            "select c.id, c.number, d.day, k.* from c cross join generate_series($2, $3) d(day) "
            "left join k on k.concentrator = c.id and k.day = d.day order by c.number, d.day",
        {bank_of(profile), number_of(first), number_of(last)},
        "reading the completeness board"};
    std::vector<CompletenessCell> cells;
    cells.reserve(static_cast<std::size_t>(rows.size()));
    for (int i = 0; i < rows.size(); ++i)
        cells.push_back({counts_of(rows, i, 5), ConcentratorId{rows.integer(i, 0)},
                         device_number(rows.integer(i, 1)),
                         UtcDay{std::chrono::days{static_cast<int>(rows.integer(i, 2))}}});
    return cells;
}

std::vector<CompletenessGroup> CompletenessReader::groups(const std::string& name, const std::string& join,
                                                          const ObisCode& profile, UtcDay first,
                                                          UtcDay last) {
    const BinaryRows rows{connection_,
                          "select " + name + ", " + sums + " from completeness_cell k " + join +
                              " where k.bank = $1 and k.day between $2 and $3 group by 1 order by 1",
                          {bank_of(profile), number_of(first), number_of(last)},
                          "reading completeness by group"};
    std::vector<CompletenessGroup> found;
    found.reserve(static_cast<std::size_t>(rows.size()));
    for (int i = 0; i < rows.size(); ++i)
        found.push_back({counts_of(rows, i, 1), std::string{rows.text(i, 0)}});
    return found;
}

std::vector<CompletenessGroup> CompletenessReader::by_area(const ObisCode& profile, UtcDay first,
                                                           UtcDay last) {
    return groups("a.name", "join area a on a.id = k.area", profile, first, last);
}

std::vector<CompletenessGroup> CompletenessReader::by_model(const ObisCode& profile, UtcDay first,
                                                            UtcDay last) {
    return groups("k.model", "", profile, first, last);
}

std::vector<WorstMeter> CompletenessReader::worst_of(const std::string& from, int count_max) {
    const BinaryRows rows{
        connection_,
        "with w as (" + from +
            " limit $1) select m.number, c.number, m.model, w.days, w.intervals, w.missing[1], "
            "w.missing[2], w.missing[3], w.missing[4], w.missing[5], w.missing[6], "
            "w.missing[7], w.missing[8], w.missing[9] from w join meter m on m.id = w.meter "
            "left join concentrator c on c.id = m.concentrator order by w.intervals desc, "
            "m.number",
        {count_max},
        "listing the worst meters"};
    std::vector<WorstMeter> found;
    found.reserve(static_cast<std::size_t>(rows.size()));
    for (int i = 0; i < rows.size(); ++i) {
        WorstMeter meter{.number = device_number(rows.integer(i, 0)),
                         .concentrator = {},
                         .model = std::string{rows.text(i, 2)},
                         .days = static_cast<int>(rows.integer(i, 3)),
                         .intervals = rows.integer(i, 4)};
        if (const auto concentrator = rows.maybe(i, 1)) meter.concentrator = device_number(*concentrator);
        for (std::size_t reason = 0; reason < meter.missing.size(); ++reason)
            meter.missing[reason] = rows.maybe(i, 5 + static_cast<int>(reason)).value_or(0);
        found.push_back(std::move(meter));
    }
    return found;
}

namespace {

/// Days, intervals and reasons of each meter in missing_day d.
std::string per_meter_of(const std::string& condition, const std::string& having) {
    std::string reasons;
    for (std::size_t reason = 0; reason < missing_reason_count; ++reason)
        reasons += (reason == 0 ? "" : ", ") +
                   ("sum(d.intervals) filter (where d.reason = " + std::to_string(reason) + ")");
    return "select d.meter, count(distinct d.day)::int as days, sum(d.intervals)::bigint as intervals, "
           "array[" +
           reasons + "] as missing from missing_day d where " + condition + " and d.reason not in " +
           excused + " group by d.meter " + having + " order by intervals desc, d.meter";
}

std::string between(std::int64_t bank, UtcDay first, UtcDay last) {
    return "d.bank = " + std::to_string(bank) + " and d.day between " + std::to_string(number_of(first)) +
           " and " + std::to_string(number_of(last));
}

}  // namespace

std::vector<WorstMeter> CompletenessReader::worst(const ObisCode& profile, UtcDay first, UtcDay last,
                                                  int count_max) {
    return worst_of(per_meter_of(between(bank_of(profile), first, last), ""), count_max);
}

std::vector<WorstMeter> CompletenessReader::repeated(const ObisCode& profile, UtcDay day, int months,
                                                     int count_max) {
    const std::chrono::year_month_day date{day};
    const auto end = date.year() / date.month();
    const UtcDay first{(end - std::chrono::months{months}) / 1}, last{end / 1};
    return worst_of(per_meter_of(between(bank_of(profile), first, last - std::chrono::days{1}),
                                 "having count(distinct date_trunc('month', date '1970-01-01' + d.day)) = " +
                                     std::to_string(months)),
                    count_max);
}

}  // namespace wattmesh::headend::database
