#include "headend/database/vend_anchors.h"

#include "headend/database/binary_rows.h"

namespace wattmesh::headend::database {
namespace {

constexpr std::int64_t day_us = 86'400'000'000;

std::int64_t day_number(Instant at) {
    return std::chrono::floor<std::chrono::days>(at).time_since_epoch().count();
}
std::chrono::sys_days anchor_day(std::int64_t number) {
    return std::chrono::sys_days{std::chrono::days{static_cast<int>(number)}};
}

}  // namespace

std::string day_text(std::chrono::sys_days day) {
    const std::chrono::year_month_day date{day};
    char text[16];
    std::snprintf(text, sizeof text, "%04d-%02u-%02u", static_cast<int>(date.year()),
                  static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()));
    return text;
}

std::string anchor_text(const VendAnchor& anchor) {
    return "wattmesh journal of sales " + day_text(anchor.day) + " batch " +
           std::to_string(anchor.head.number) + " " + to_hex(anchor.head.hash) + " signed " +
           std::to_string(epoch_us(anchor.at));
}

std::optional<VendAnchor> VendAnchors::due(Instant now) {
    const auto rows = BinaryRows::kept(
        connection_,
        "select number, hash, at_us / 86400000000 from vend_seal where at_us < $1 and number > coalesce("
        "(select max(number) from vend_anchor), 0) and at_us / 86400000000 > coalesce((select max(day) - "
        "date "
        "'1970-01-01' from vend_anchor), -1) order by number desc limit 1",
        {day_number(now) * day_us}, "looking for a day to anchor");
    if (rows.size() == 0) return std::nullopt;
    return VendAnchor{.day = anchor_day(rows.integer(0, 2)),
                      .head = {rows.integer(0, 0), rows.octets(0, 1)},
                      .at = now,
                      .public_key = {},
                      .signature = {}};
}

void VendAnchors::add(const VendAnchor& anchor) {
    BinaryRows::kept(connection_,
                     "insert into vend_anchor values (date '1970-01-01' + $1::int, $2, $3, $4, $5, $6) "
                     "returning number",
                     {std::int64_t{anchor.day.time_since_epoch().count()}, anchor.head.number,
                      Bytes{anchor.head.hash}, anchor.at, Bytes{anchor.public_key}, Bytes{anchor.signature}},
                     "storing an anchor of the journal of sales");
}

std::vector<VendAnchor> VendAnchors::all() {
    const auto rows = BinaryRows::kept(connection_,
                                       "select day - date '1970-01-01', number, hash, at_us, public_key, "
                                       "signature from vend_anchor order by day",
                                       {}, "reading the anchors of the journal of sales");
    std::vector<VendAnchor> anchors;
    anchors.reserve(static_cast<std::size_t>(rows.size()));
    for (int i = 0; i < rows.size(); ++i)
        anchors.push_back({.day = anchor_day(rows.integer(i, 0)),
                           .head = {rows.integer(i, 1), rows.octets(i, 2)},
                           .at = from_epoch_us(rows.integer(i, 3)),
                           .public_key = rows.octets(i, 4),
                           .signature = rows.octets(i, 5)});
    return anchors;
}

std::vector<std::chrono::sys_days> VendAnchors::missing(Instant now) {
    const auto rows = BinaryRows::kept(
        connection_,
        "select distinct at_us / 86400000000 from vend_seal where at_us < $1 and number > coalesce((select "
        "max(number) from vend_anchor), 0) and at_us / 86400000000 > coalesce((select max(day) - date "
        "'1970-01-01' from vend_anchor), -1) order by 1",
        {day_number(now) * day_us}, "looking for days without an anchor");
    std::vector<std::chrono::sys_days> days;
    days.reserve(static_cast<std::size_t>(rows.size()));
    for (int i = 0; i < rows.size(); ++i) days.push_back(anchor_day(rows.integer(i, 0)));
    return days;
}

}  // namespace wattmesh::headend::database
