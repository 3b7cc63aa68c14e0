#pragma once
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "headend/database/jobs.h"
#include "headend/database/vend_ids.h"
#include "headend/prepayment/decision.h"
#include "headend/vending/pricing/consumption.h"

namespace wattmesh::headend::database {

/// An account whose use the server prices, as whoever works at it holds it.
struct PrepaymentAccount {
    PrepaidAccountId id;
    TenantId tenant{1};
    std::string number;
    TariffId tariff;
    LedgerAccountId ledger;
    MeterId meter;        ///< of its newest enrolment
    DeviceNumber device;  ///< its number
    std::string meter_class;
    std::chrono::sys_days today{}, swept{};  ///< the utility's; the last day on which all was looked at
    pricing::Tenths free_units;              ///< of a month that begins now
    prepayment::Supply supply{};
    std::optional<JobId> job;
    Duration charge_every{};
};

/// What valid actual intervals of one day add up to, and the version of the tariff that it is priced by.
struct PrepaymentDay {
    std::chrono::sys_days day{};
    pricing::TariffVersionId version;
    pricing::Tenths free_units;  ///< of its month
    std::int64_t wh = 0;
    int intervals = 0, doubtful = 0;
    std::optional<Instant> newest{};  ///< end of the newest valid one; not kept
};

/// A change of what a day is charged.
struct PrepaymentCharge {
    Instant at{};
    PrepaymentDay day;
    std::int64_t wh_before = 0;
    pricing::Parts parts;  ///< less than nothing: given back
    pricing::Money total;  ///< of the day from now on
};

/// Tables prepayment, prepayment_day, _charge, _line and _notice, for those that charge and decide. The
/// caller owns the transaction, and holds an account while it changes anything of it.
class Prepayments {
public:
    explicit Prepayments(Connection& connection) : connection_(connection) {}

    std::vector<PrepaidAccountId> due_to_charge(Instant now, int most);
    std::vector<PrepaidAccountId> due_to_decide(Instant now, int most);
    /// Until the transaction ends. Nothing when another process is at it.
    std::optional<PrepaymentAccount> hold(PrepaidAccountId account, Instant now);

    /// Days from `first` on that have any interval, and a version of the tariff in force; what a day was
    /// priced by before stays. `wh_max`: of one interval; more is not believed.
    std::vector<PrepaymentDay> used(const PrepaymentAccount& account, std::chrono::sys_days first,
                                    Instant now, std::int64_t wh_max);
    /// What is kept of days [first, last], by day.
    std::vector<PrepaymentDay> kept(PrepaidAccountId account, std::chrono::sys_days first,
                                    std::chrono::sys_days last);
    /// What was posted so far for days [first, last] of which anything was.
    std::map<std::chrono::sys_days, pricing::Parts> posted(PrepaidAccountId account,
                                                           std::chrono::sys_days first,
                                                           std::chrono::sys_days last);
    /// Posts the parts, keeps the day and moves the balance.
    void charge(const PrepaymentAccount& account, const PrepaymentCharge& change);
    void charged(PrepaidAccountId account, std::optional<Instant> newest, bool swept,
                 std::chrono::sys_days today, Instant next);

    prepayment::Situation situation(const PrepaymentAccount& account, Instant now, std::int64_t wh_max);
    /// The account whose supply a meter is, when it is enrolled. Does not hold it.
    std::optional<PrepaymentAccount> of_meter(DeviceNumber meter, Instant now);
    /// Stores the notice and tells partners. False when it was given before.
    bool notify(const PrepaymentAccount& account, int number, const std::string& words, Instant now);
    /// The notices of this number and above count no longer.
    void notices_over(PrepaidAccountId account, int from_number, Instant now);
    void set_supply(PrepaidAccountId account, prepayment::Supply supply, std::optional<JobId> job,
                    Instant now);
    /// Why nothing more was done, and when it is looked at again.
    void decided(PrepaidAccountId account, std::string_view said, Instant next);
    /// How many meters were ordered to be cut off by prepayment since `since`.
    int cuts_since(TenantId tenant, Instant since);
    /// What became of the account's meter in its job.
    std::optional<JobItem> outcome(const PrepaymentAccount& account);
    /// The most that one interval of an account's meter is believed.
    std::int64_t wh_max(const PrepaymentAccount& account);

private:
    std::optional<PrepaymentAccount> read(const char* condition, long long which, Instant now);
    Connection& connection_;
};

}  // namespace wattmesh::headend::database
