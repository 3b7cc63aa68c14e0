#pragma once
#include <optional>
#include <string>
#include <vector>

#include "headend/database/customers.h"
#include "headend/database/vendors.h"
#include "protocol/base/bytes.h"

namespace wattmesh::headend::database {

/// free: units that a supervisor gives. claim: the month's free units without a purchase. transfer: what was
/// left in a meter that was changed out. withdrawal: a vendor's own credit goes back to him. write_off,
/// pay_out: adjustments.h, of no vendor.
enum class SaleKind : std::uint8_t {
    sale,
    free,
    engineering,
    key_change,
    deposit,
    payment,
    claim,
    transfer,
    withdrawal,
    write_off,
    pay_out
};
std::string_view to_string(SaleKind kind);
std::optional<SaleKind> parse_sale_kind(std::string_view word);
/// intended: stored, and the module may have made its tokens or not; somebody is at it or will be.
enum class SaleState : std::uint8_t { intended, issued, refused, reversed };
std::string_view to_string(SaleState state);

/// Everything that a sale is priced by, as it was at one instant.
struct SaleGround {
    PrepaidMeter meter;
    std::optional<PrepaidAccountId> account;
    std::string account_number, customer, address;
    std::int64_t version = 0;  ///< of the account
    pricing::TariffVersionId tariff;
    pricing::Standing standing;
    std::chrono::sys_days day{};              ///< the utility's
    std::optional<pricing::Money> counted{};  ///< its balance, where the server counts what the meter uses
};

/// A receipt's line with its two sides of the ledger.
struct SaleLine {
    pricing::Line line;
    LedgerAccountId debit, credit;
};
/// A token that the module is to make, or has made.
struct SaleToken {
    std::string request;  ///< the module's name for it
    std::string kind;     ///< credit, free, transfer, management, key_change
    sts::SupplyGroup supply_group{};
    std::uint8_t key_revision = 1, tariff_index = 1;
    sts::BaseDate base{};
    std::optional<sts::Tid> tid;
    std::string content;  ///< as security::text_of writes a request
};

struct Sale {
    SaleId id;
    TenantId tenant{1};
    SaleKind kind{};
    SaleState state = SaleState::intended;
    TerminalId terminal;
    std::string key;   ///< the client's
    Buffer body_hash;  ///< of what came with it
    std::string operator_;
    VendorId vendor;
    std::optional<PrepaidAccountId> account;
    std::optional<PrepaidMeterId> meter, from_meter;
    std::optional<pricing::TariffVersionId> tariff;
    Instant at{};
    std::chrono::sys_days day{};
    pricing::Money tender;
    std::string pay_type = "cash";
    pricing::Tenths units, free_units, counted;  ///< counted: towards the month's steps
    pricing::Month charged_before;
    std::string reason;
    Buffer response;  ///< sealed; empty while intended
    std::optional<Instant> completed, confirmed;
    int copies = 0;
    std::vector<SaleLine> lines;
    std::vector<SaleToken> tokens;
};

/// How storing an intent went.
enum class Intended : std::uint8_t {
    stored,
    stale,     ///< another sale came between, or another key: read and price again
    credit,    ///< the vendor's credit does not suffice
    key_taken  ///< the terminal used the key before
};

/// What a meter ever got, and whether what was left in it went to another one.
struct MeterGot {
    pricing::Tenths units;
    std::optional<SaleId> moved;
};

struct TokenMade {
    std::string request;
    std::uint64_t sequence = 0;
    Instant at{};
};

/// Every token of a sale in the order in which a meter is to get them, sealed (deliveries.h), and until when.
struct Parcel {
    std::vector<Buffer> sealed{};
    Instant deadline{};
};

/// Tables sale, sale_line and vend_token, and what moves with them. intend() and complete() are a commit
/// each.
class Sales {
public:
    explicit Sales(Connection& connection) : connection_(connection) {}

    /// Nothing when there is no such meter. A meter without account, or an account without a tariff in force,
    /// has no account here.
    std::optional<SaleGround> ground(const sts::MeterPan& pan, Instant at);
    /// Sets the sale's id when it is stored.
    Intended intend(Sale& sale, const SaleGround* ground);
    /// False when it was ended before; find() has the answer then. Where the meter takes tokens through the
    /// mesh, `parcel` is on its way from now on.
    bool complete(SaleId sale, Instant at, Bytes sealed_response, const std::vector<TokenMade>& made,
                  const Parcel& parcel = {});
    /// The module would not make the token. False when it was ended before.
    bool refuse(SaleId sale, Instant at, const std::string& by, const std::string& why,
                Bytes sealed_response);
    /// Of an issued sale. False when it is none.
    bool reverse(SaleId sale, Instant at, const std::string& by, const std::string& why);
    /// The till said that the customer has it. False when it had before, or the sale is not issued.
    bool confirm(SaleId sale, Instant at, const std::string& by);
    /// Counts a copy and says how many there are; nothing when the sale is not issued.
    std::optional<int> copy(SaleId sale, Instant at, const std::string& by);

    /// Without lines and tokens.
    std::optional<Sale> find(TerminalId terminal, const std::string& key);
    /// With them.
    std::optional<Sale> find(SaleId id);
    /// Newest first, issued ones, without lines and tokens.
    std::vector<Sale> of_meter(PrepaidMeterId meter, int count);
    MeterGot got(PrepaidMeterId meter);
    /// The sale that a token is of.
    std::optional<SaleId> of_token(PrepaidMeterId meter, sts::BaseDate base, sts::Tid tid);
    /// What was intended before `before` and has no end yet: oldest first, and behind them those that were
    /// tried(), the least lately tried one first.
    std::vector<SaleId> open(Instant before, int count);
    /// Its end failed; others come first from now on.
    void tried(SaleId sale, Instant now);

private:
    void read_parts(Sale& sale);

    Connection& connection_;
};

}  // namespace wattmesh::headend::database
