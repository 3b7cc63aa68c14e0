#pragma once
#include <array>
#include <optional>
#include <string>
#include <vector>

#include "headend/database/connection.h"
#include "headend/database/vend_ids.h"

namespace wattmesh::headend::database {

/// Days of the utility's own calendar, both included.
struct SalesSpan {
    TenantId tenant{1};
    std::chrono::sys_days first{}, last{};
};

/// What one vendor sold on one day under one version of a tariff, without what was taken back. Without a
/// vendor: what the server charged accounts for that day, as it is charged now; without a tariff, too: what
/// accounts were paid out.
struct SalesDay {
    std::chrono::sys_days day{};
    std::string tariff, vendor;
    std::int64_t sales = 0, payments = 0;  ///< payments: of debts only
    pricing::Money tender;
    pricing::Tenths units, free_units;
    /// By pricing::LineKind; their sum is the tender. Credit is what went into accounts that the server
    /// counts: a charge takes as much out of them as it brings for energy, levies and taxes.
    std::array<pricing::Money, 8> by_kind{};
};
struct TaxSum {
    std::string name;
    pricing::Share share;
    std::int64_t sales = 0, charged_days = 0;  ///< in so many of each; a day of each account
    pricing::Money base, amount;
};
struct DebtState {
    std::string account, customer, name, recovery;
    pricing::Money original, paid, written_off, balance;  ///< paid, written_off: in the span; balance: now
    bool held = false;
};
/// Free basic units that were given, which the utility claims from who pays for them.
struct FreeClaim {
    std::chrono::sys_days day{};
    std::string account, customer, meter;
    std::optional<SaleId> sale;  ///< none where the server counts: then they were used on that day
    pricing::Tenths units;
};
/// Something that a person should look at.
struct VendAnomaly {
    std::string what;  ///< a stable word, see SalesReader::anomalies
    Instant at{};
    std::string subject, detail;
    std::optional<pricing::Tenths> units;
};

/// Sums and lists about sales and what the server charged, out of them and their ledger lines. Read only. A
/// list that would have more than `rows_max` rows has one more: ask for a shorter span.
class SalesReader {
public:
    static constexpr int rows_max = 100'000;
    /// At night (22 to 5 o'clock, the utility's) so many sales of one till in one hour are a bulk run.
    static constexpr int bulk_sales = 20;
    /// A meter that used so much in the span is lived with.
    static constexpr std::int64_t load_wh = 10'000;

    explicit SalesReader(Connection& connection) : connection_(connection) {}

    /// The day that the utility's calendar has at `at`.
    std::chrono::sys_days local_day(TenantId tenant, Instant at);
    std::vector<SalesDay> sales(const SalesSpan& span);
    std::vector<TaxSum> taxes(const SalesSpan& span);
    std::vector<DebtState> debts(const SalesSpan& span);
    std::vector<FreeClaim> free_claims(const SalesSpan& span);
    /// token_without_sale: the module made it, and no sale asked for it. units_given: a free issue.
    /// money_back: a sale that was taken back, whose token is out. night_run: many sales at night.
    /// load_without_purchase: a meter used energy and bought nothing.
    std::vector<VendAnomaly> anomalies(const SalesSpan& span);

private:
    Connection& connection_;
};

}  // namespace wattmesh::headend::database
