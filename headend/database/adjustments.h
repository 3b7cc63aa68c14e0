#pragma once
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "headend/database/connection.h"
#include "headend/database/vend_ids.h"

namespace wattmesh::headend::database {

/// A debt that is written off, or the balance of an account that the server no longer counts paid out.
struct AdjustmentOrder {
    TenantId tenant{1};
    std::string account;          ///< its number
    std::string debt;             ///< its name; empty: a pay-out of the whole balance, debts first
    pricing::Money amount;        ///< of a write-off; zero: all that is owed
    std::string reference;        ///< of a pay-out: the bank's, taken once
    std::string reason, key, by;  ///< key: the client's, the same order is taken once
};

/// Why an order is not taken, or not posted.
enum class AdjustmentRefusal : std::uint8_t {
    no_account,
    no_debt,        ///< the account has no such debt that is open
    too_much,       ///< the debt is smaller
    never_counted,  ///< the server never counted the account: it has no balance
    still_counted,  ///< the meter was not taken out of the mode
    not_read,       ///< what it used until then is not read yet
    nothing_left,
    balance_moved,    ///< since it was ordered
    waiting_already,  ///< another one of the same debt or account waits
    reference_used,
    key_reused,  ///< the key came with another order before
    decided      ///< it does not wait, or there is none
};
std::string_view to_string(AdjustmentRefusal refusal);
/// For the person who ordered it.
std::string_view explain(AdjustmentRefusal refusal);

struct Adjustment {
    std::int64_t id = 0;
    std::string kind, state;  ///< write_off or pay_out; waiting, posted, refused, reversed
    std::string account, customer, debt;
    pricing::Money amount;
    std::string reference, reason, ordered_by;
    Instant ordered{};
    std::string decided_by, decided_why;
    std::optional<Instant> decided;
    std::optional<SaleId> sale;
};

/// What stands in an account, for whoever adjusts it.
struct AccountStanding {
    struct Debt {
        std::string name, recovery;
        pricing::Money original, balance;
        bool held = false;
    };
    std::string number, customer, address;
    std::vector<Debt> debts;                        ///< those that are open
    std::optional<pricing::Money> balance{};        ///< of one that the server counts or counted
    std::optional<AdjustmentRefusal> no_pay_out{};  ///< why its balance cannot be paid out now
};

/// Table vend_adjustment, and the sales that adjustments are posted as. The caller owns the transaction, and
/// writes the audit record.
class Adjustments {
public:
    explicit Adjustments(Connection& connection) : connection_(connection) {}

    /// It waits from now on; what came with the same key before is given again.
    std::variant<Adjustment, AdjustmentRefusal> order(const AdjustmentOrder& order, Instant now);
    /// Posts what waits. Nothing: it is.
    std::optional<AdjustmentRefusal> post(std::int64_t id, const std::string& by, const std::string& why,
                                          Instant now);
    /// False when it does not wait.
    bool refuse(std::int64_t id, const std::string& by, const std::string& why, Instant now);
    std::optional<Adjustment> find(TenantId tenant, std::int64_t id);
    /// Waiting ones first, then the newest.
    std::vector<Adjustment> list(TenantId tenant, const std::string& account, int most);
    std::optional<AccountStanding> standing(TenantId tenant, const std::string& account, Instant now);

private:
    struct Subject {
        PrepaidAccountId account;
        std::int64_t debt = 0;  ///< 0: none
        pricing::Money owed;    ///< of the debt, or the balance
    };
    std::variant<Subject, AdjustmentRefusal> subject(const AdjustmentOrder& order);
    std::optional<AdjustmentRefusal> objection(const Subject& subject, pricing::Money amount, Instant now);
    std::vector<Adjustment> read(const std::string& condition, TenantId tenant, const std::string& word,
                                 std::int64_t number, int most);

    Connection& connection_;
};

}  // namespace wattmesh::headend::database
