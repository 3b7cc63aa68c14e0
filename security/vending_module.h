#pragma once
#include <stdexcept>
#include <string>
#include <variant>
#include <vector>

#include "protocol/sts/key_change.h"
#include "protocol/sts/meter_pan.h"
#include "protocol/sts/opening.h"

/// Port: a security module that makes prepayment tokens. Vending keys never leave it; it enforces what they
/// may be used for, whatever its caller asks.
namespace wattmesh::security {

/// A supply group's vending key of one revision.
struct VendingKeyName {
    sts::SupplyGroup supply_group{};
    std::uint8_t revision = 1;
    friend auto operator<=>(const VendingKeyName&, const VendingKeyName&) = default;
};
/// "123457/1".
std::string to_string(const VendingKeyName& name);

/// First three octets of what the key makes of zeros; tells whether two ends hold the same key.
using CheckValue = std::array<std::uint8_t, 3>;

/// What a vending key may be used for. Comes with the key and is sealed with it.
struct VendingKeyTerms {
    VendingKeyName name;
    sts::Derivation derivation = sts::Derivation::dkga04;
    sts::KeyType type = sts::KeyType::unique;  ///< of the decoder keys it makes
    sts::BaseDate base = sts::BaseDate::y2014;
    sts::KeyExpiry expiry = 255;
    Instant active_from{}, issued_until = never;
    std::uint64_t units_limit = 0;     ///< tenths of units, all credit tokens together
    std::uint64_t currency_limit = 0;  ///< hundred-thousandths, likewise
    bool credit = true, management = true, key_change = true;
    friend bool operator==(const VendingKeyTerms&, const VendingKeyTerms&) = default;
};

/// The key of one meter: everything that derivation needs and the vending key does not say.
struct MeterKeyName {
    sts::MeterPan meter;
    VendingKeyName vending_key;
    std::uint8_t tariff_index = 1;
    sts::Algorithm algorithm = sts::Algorithm::ea11;
    friend bool operator==(const MeterKeyName&, const MeterKeyName&) = default;
};

/// A token with an identifier; the caller has taken the identifier for this request and no other.
struct TokenRequest {
    std::string id;  ///< 1 to 64 of letters, digits and .:-_; names this request for ever
    MeterKeyName key;
    sts::Content content;  ///< Credit, CurrencyCredit or Management
};
/// A key change set, under the present key. The new key's expiry is the new vending key's; the meter forgets
/// its identifiers when the base dates differ.
struct KeyChangeRequest {
    std::string id;
    MeterKeyName from, to;
};

struct Issued {
    std::uint64_t sequence = 0;  ///< of the module's calls: 1, 2, 3 ... without gaps
    Instant at{};
    std::vector<sts::Token> tokens;
    CheckValue check_value{};  ///< of the vending key that encrypted
    friend bool operator==(const Issued&, const Issued&) = default;
};

enum class ModuleRefusal : std::uint8_t {
    bad_request,  ///< no such content, or an id that is none
    conflict,     ///< the id belongs to another request
    unknown_key,
    not_active,     ///< before active_from
    issuing_ended,  ///< after issued_until: the key needs a refresh
    key_expired,    ///< the identifier, or for a new key the present, is past its expiry
    function,       ///< the key may not make such tokens
    key_type,       ///< the meter's type of key takes no such token, or does not change so
    limit_reached,  ///< of units or currency
    not_derivable,  ///< algorithm and derivation do not fit
};
std::string_view to_string(ModuleRefusal refusal);
std::string_view explain(ModuleRefusal refusal);
using ModuleAnswer = std::variant<Issued, ModuleRefusal>;

/// The module did not answer in time, or cannot be reached. Whether a token was made is unknown: resolve()
/// tells.
struct ModuleUnreachable : std::runtime_error {
    using std::runtime_error::runtime_error;
};

/// What was made with one vending key since it was loaded first.
struct VendingKeyState {
    VendingKeyTerms terms;
    CheckValue check_value{};
    std::uint64_t tokens = 0, units = 0, currency = 0;
    std::optional<sts::Tid> highest_tid;  ///< after a restore, identifiers begin above it
    friend bool operator==(const VendingKeyState&, const VendingKeyState&) = default;
};
enum class ModuleAlarm : std::uint8_t { units_low, currency_low, issuing_ends_soon, key_expires_soon };
std::string_view to_string(ModuleAlarm alarm);
/// Less than a tenth of a limit left; less than 30 days to an end.
std::vector<ModuleAlarm> alarms_of(const VendingKeyState& state, Instant now);

/// One call, to be compared with the caller's own journal: a call that is not there was made by somebody
/// else.
struct ModuleCall {
    std::uint64_t sequence = 0;
    Instant at{};
    std::string id;
    MeterKeyName key;
    std::optional<sts::Tid> tid;  ///< none of a key change
    std::uint64_t units = 0, currency = 0;
    friend bool operator==(const ModuleCall&, const ModuleCall&) = default;
};

/// Thread safe. Calls may take as long as a disk or a network does. They throw ModuleUnreachable, and what
/// their implementation says; then, and after a crash, the caller asks resolve() before anything else.
class VendingModule {
public:
    virtual ~VendingModule() = default;
    /// Durable before it returns. The same request again gives the same tokens and changes nothing.
    virtual ModuleAnswer issue(const TokenRequest& request, Instant now) = 0;
    virtual ModuleAnswer change_key(const KeyChangeRequest& request, Instant now) = 0;
    /// What was made for that request; nothing when nothing was, and then asking again is safe.
    virtual std::optional<Issued> resolve(const std::string& id) = 0;
    /// Looks into a token that somebody brings. Counts nothing.
    virtual std::variant<sts::Opening, ModuleRefusal> inspect(const sts::Token& token,
                                                              const MeterKeyName& key) = 0;
    virtual std::vector<VendingKeyState> keys() = 0;
    /// At most `count` calls behind `sequence`, in order.
    virtual std::vector<ModuleCall> calls_after(std::uint64_t sequence, std::size_t count) = 0;
};

}  // namespace wattmesh::security
