#include "headend/monitor/prepayment_charge.h"

#include <algorithm>
#include <map>

#include "headend/database/tariffs.h"

namespace wattmesh::headend::monitor {
namespace {

namespace pricing = vending::pricing;
using database::PrepaymentDay;
using database::Prepayments;
using std::chrono::sys_days;

sys_days month_of(sys_days day) {
    const std::chrono::year_month_day date{day};
    return sys_days{date.year() / date.month() / 1};
}
sys_days after_month(sys_days month) {
    const std::chrono::year_month_day date{month};
    return sys_days{(date.year() / date.month() + std::chrono::months{1}) / 1};
}

/// Versions that one look needs; they never change.
class Versions {
public:
    explicit Versions(database::Connection& connection) : tariffs_(connection) {}
    const pricing::Tariff& at(pricing::TariffVersionId id) {
        const auto known = known_.find(id);
        if (known != known_.end()) return known->second;
        return known_.emplace(id, tariffs_.version(id).value()).first->second;
    }

private:
    database::Tariffs tariffs_;
    std::map<pricing::TariffVersionId, pricing::Tariff> known_;
};

/// One month: what is kept of its days, and what was seen of some of them now.
void charge_month(Prepayments& prepayments, const database::PrepaymentAccount& account, sys_days month,
                  const std::map<sys_days, PrepaymentDay>& seen, Versions& versions, Instant now) {
    std::map<sys_days, PrepaymentDay> days, before;
    const auto last = after_month(month) - std::chrono::days{1};
    for (auto& day : prepayments.kept(account.id, month, last)) before.emplace(day.day, day);
    days = before;
    for (const auto& [day, use] : seen)
        if (month_of(day) == month) days[day] = use;
    std::vector<pricing::DayUse> uses;
    for (const auto& [day, use] : days) uses.push_back({day, use.wh, &versions.at(use.version)});
    if (uses.empty()) return;
    const auto priced = pricing::price_days(uses, days.begin()->second.free_units);
    auto posted = prepayments.posted(account.id, month, last);
    std::size_t i = 0;
    for (const auto& [day, use] : days) {
        const auto& wanted = priced[i++];
        const auto known = before.find(day);
        database::PrepaymentCharge change{.at = now,
                                          .day = use,
                                          .wh_before = known == before.end() ? 0 : known->second.wh,
                                          .parts = pricing::difference(wanted, posted[day]),
                                          .total = pricing::sum_of(wanted)};
        change.day.free_units = days.begin()->second.free_units;
        const bool same = known != before.end() && known->second.wh == use.wh &&
                          known->second.intervals == use.intervals && known->second.doubtful == use.doubtful;
        if (!same || !change.parts.empty()) prepayments.charge(account, change);
    }
}

}  // namespace

bool charge_account(database::Connection& connection, database::PrepaidAccountId id, Instant now,
                    const PrepaymentReached& reached) {
    const auto at = [&](PrepaymentStep step) {
        if (reached) reached(step);
    };
    database::Transaction transaction{connection};
    Prepayments prepayments{connection};
    const auto account = prepayments.hold(id, now);
    if (!account) return false;
    at(PrepaymentStep::held);
    const bool all = account->swept < account->today;
    const auto first = all ? month_of(month_of(account->today) - std::chrono::days{1})
                           : account->today - std::chrono::days{2};
    std::map<sys_days, PrepaymentDay> seen;
    std::optional<Instant> newest;
    for (const auto& day : prepayments.used(*account, first, now, prepayments.wh_max(*account))) {
        seen.emplace(day.day, day);
        if (day.newest && (!newest || *newest < *day.newest)) newest = day.newest;
    }
    at(PrepaymentStep::read);
    Versions versions{connection};
    for (auto month = month_of(first); month <= account->today; month = after_month(month))
        charge_month(prepayments, *account, month, seen, versions, now);
    at(PrepaymentStep::posted);
    prepayments.charged(id, newest, all, account->today, now + account->charge_every);
    transaction.commit();
    at(PrepaymentStep::charged);
    return true;
}

}  // namespace wattmesh::headend::monitor
