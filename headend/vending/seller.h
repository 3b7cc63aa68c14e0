#pragma once
#include <functional>
#include <map>
#include <mutex>

#include "headend/database/sales.h"
#include "headend/database/tariffs.h"
#include "headend/vending/receipt.h"
#include "headend/vending/shopfront.h"
#include "headend/vending/token_orders.h"
#include "platform/clock.h"
#include "security/master_key.h"

namespace wattmesh::headend::vending {

/// Why nothing was sold, for a program; `words` are for the person at the till.
enum class Reason : std::uint8_t {
    unknown_meter,
    blocked_meter,
    no_account,  ///< the meter has none, or its tariff is not in force
    no_key,      ///< the module has no vending key for the meter
    terminal_disabled,
    tender,  ///< pricing refuses it
    vendor_credit,
    too_many_tokens,  ///< identifiers would run too far ahead of the clock
    key_reused,       ///< the key came with another body before
    busy,             ///< others kept selling to the account
    module_away,      ///< the sale is stored; asking again with the same key brings its token
    not_possible,     ///< what is asked for cannot be done; the words say why
};
std::string_view to_string(Reason reason);
struct Objection {
    Reason reason{};
    std::string words;
};

/// What a client gets, and gets again for the same key.
struct Reply {
    int status = 200;
    std::string body;
};
using SaleAnswer = std::variant<Reply, Objection>;

/// What a till asks for.
struct Order {
    database::SaleKind kind = database::SaleKind::sale;
    database::VendTerminal terminal;
    std::string operator_, key;
    Buffer body_hash;
    sts::MeterPan meter;
    pricing::Money tender;
    pricing::Tenths units;  ///< free issue, transfer
    std::string pay_type = "cash", reason{};
    std::optional<sts::Management> command{};  ///< engineering; chance and identifier are not looked at
    std::optional<KeyTarget> target{};         ///< key change
    std::optional<sts::MeterPan> from{};       ///< transfer: the meter that the units were left in
};

/// Between these a process may die.
enum class Step : std::uint8_t { read, intended, token_made, tokens_made, completed };
inline constexpr int step_count = 5;

/// How long tokens are tried to be brought to the meter. The printed ones stay good.
inline constexpr Duration delivered_within = std::chrono::hours{72};

/// Sells: an intent that is durable before the module is asked, and a second commit with what it made.
/// Whoever dies in between leaves a sale that resume(), or the client's own repetition, ends with the same
/// tokens: the module's name for a token comes from terminal, key and place. Thread safe; connections are the
/// caller's.
class Seller {
public:
    struct Ports {
        security::VendingModule& module;
        const security::MasterKey& master;
        const platform::Clock& clock;
        std::function<void(Step)> reached{};  ///< tests: a throw is a crash
        Shopfront front{};                    ///< how refusals write money
    };
    explicit Seller(Ports ports) : ports_(std::move(ports)) {}

    SaleAnswer sell(database::Connection& connection, const Order& order);
    /// Ends a sale that somebody left.
    SaleAnswer resume(database::Connection& connection, database::SaleId id);
    /// The answer that was given, of a sale that has an end.
    std::optional<Reply> stored(const database::Sale& sale) const;

    /// What a tender would buy now; changes nothing.
    std::variant<pricing::Quote, Objection> quote(database::Connection& connection,
                                                  const database::VendTerminal& terminal,
                                                  const sts::MeterPan& meter, pricing::Money tender);
    /// The least tender for so many units.
    std::variant<pricing::Quote, Objection> quote(database::Connection& connection,
                                                  const database::VendTerminal& terminal,
                                                  const sts::MeterPan& meter, pricing::Tenths units);
    const pricing::Tariff& tariff(database::Connection& connection, pricing::TariffVersionId version);
    Instant now() const { return ports_.clock.now(); }

private:
    struct Draft {
        database::Sale sale;
        database::SaleGround ground;
    };
    std::variant<database::SaleGround, Objection> ground(database::Connection& connection,
                                                         const database::VendTerminal& terminal,
                                                         const sts::MeterPan& meter, Instant at);
    /// Why the module would make no token for the meter.
    std::optional<Objection> key_objection(const database::PrepaidMeter& meter);
    Objection credit_objection(const database::Vendor& vendor) const;
    /// What a quote is priced by, when a sale for it would go through.
    std::variant<database::SaleGround, Objection> quotable(database::Connection& connection,
                                                           const database::VendTerminal& terminal,
                                                           const sts::MeterPan& meter);
    std::variant<Draft, Objection> draft(database::Connection& connection, const Order& order);
    std::optional<Objection> price(database::Connection& connection, const Order& order, Draft& draft);
    /// Of a meter whose use the server counts: the sale puts credit into its account and makes no token.
    std::optional<Objection> price_credit(database::Connection& connection, const Order& order, Draft& draft);
    std::variant<pricing::Quote, Objection> quote_credit(const pricing::Tariff& tariff,
                                                         const pricing::Fee& fee,
                                                         const database::SaleGround& ground,
                                                         pricing::Money tender) const;
    static std::optional<Objection> counted_objection(database::SaleKind kind,
                                                      const database::SaleGround& ground);
    static Objection units_are_not_sold(const database::SaleGround& ground);
    std::optional<Objection> pay_debts(database::Connection& connection, const Order& order, Draft& draft);
    std::optional<Objection> claim(database::Connection& connection, Draft& draft);
    std::optional<Objection> transfer(database::Connection& connection, const Order& order, Draft& draft);
    /// Why a tender is refused, and the least that is not.
    Objection tender_objection(const pricing::Tariff& tariff, const pricing::Fee& fee,
                               const pricing::Standing& standing, pricing::Refusal refusal) const;
    std::optional<Objection> add_tokens(const Order& order, Draft& draft);
    std::optional<Objection> over_limit(const Draft& draft);
    void post(database::Connection& connection, const Order& order, Draft& draft,
              const std::vector<pricing::Line>& lines);
    SaleAnswer again(database::Connection& connection, const database::Sale& before, const Order& order);
    SaleAnswer finish(database::Connection& connection, const Draft& draft,
                      const database::VendTerminal& terminal);
    SaleAnswer refuse(database::Connection& connection, const Draft& draft, security::ModuleRefusal refusal);
    Reply end(database::Connection& connection, const Draft& draft,
              const std::vector<database::TokenMade>& made, const Digits& digits, const Reply& reply);
    database::Parcel parcel(const Draft& draft, const Digits& digits) const;
    Reply stored_end(database::Connection& connection, database::SaleId id);
    Buffer seal(const database::Sale& sale, const Reply& reply) const;
    std::optional<sts::BaseDate> base_of(const security::VendingKeyName& key);
    database::LedgerAccountId account(database::Connection& connection, TenantId tenant,
                                      pricing::LineKind kind, const std::string& name);
    void reached(Step step) const {
        if (ports_.reached) ports_.reached(step);
    }

    Ports ports_;
    std::mutex mutex_;  ///< of what follows
    std::map<pricing::TariffVersionId, pricing::Tariff> tariffs_;
    std::map<std::tuple<TenantId, pricing::LineKind, std::string>, database::LedgerAccountId> accounts_;
    std::map<security::VendingKeyName, sts::BaseDate> bases_;
};

}  // namespace wattmesh::headend::vending
