#pragma once
#include <optional>
#include <string>
#include <vector>

#include "headend/database/jobs.h"
#include "headend/database/vend_ids.h"

namespace wattmesh::headend::database {

/// waiting: nothing was sent. sending: a token may have arrived. taken: the meter has them all, and is looked
/// at. reconnecting: a relay job is to close the breaker. Ended: done, failed, cancelled (the sale was taken
/// back).
enum class DeliveryState : std::uint8_t { waiting, sending, taken, reconnecting, done, failed, cancelled };
std::string_view to_string(DeliveryState state);

/// What a meter says it has left, in 10^scale of the unit.
struct MeterBalance {
    std::int64_t amount = 0;
    int scale = 0;
    std::string unit;  ///< "Wh", or a currency
    friend bool operator==(const MeterBalance&, const MeterBalance&) = default;
};

struct DeliveryToken {
    int place = 0;
    Buffer sealed;       ///< the digits, under parcel_purpose(); none when the meter has it
    std::string result;  ///< empty: not known yet. Of a key change also while it is sealed: the meter took it
};

/// The tokens of one sale on their way to the meter.
struct Delivery {
    SaleId sale;
    DeviceNumber meter;
    TenantId tenant{1};
    std::string cosem_model;
    DeliveryState state{};
    std::string detail;
    int attempts = 0;
    Instant created{}, deadline{};
    std::optional<Instant> taken, finished;
    std::optional<MeterBalance> balance;
    std::string relay;  ///< what the breaker said last
    std::optional<JobId> relay_job;
    int orders = 0;          ///< relay jobs so far
    bool confirmed = false;  ///< the customer has the receipt, with what it warns of
    bool key_change = false;
    std::vector<DeliveryToken> tokens;
};

/// What the digits of a token are sealed for.
std::string parcel_purpose(SaleId sale, int place);

/// Tables vend_delivery and vend_delivery_token. Each change is made only from the state that it belongs to,
/// so that it may be made twice. The caller owns the transaction.
class Deliveries {
public:
    explicit Deliveries(Connection& connection) : connection_(connection) {}

    /// Those that are due, for the caller alone until `until`. Of one meter, tokens go out in the order of
    /// their sales: a later one may be under a key that an earlier one brings.
    std::vector<Delivery> claim(Instant now, Instant until, int most);
    std::optional<Delivery> find(SaleId sale);

    /// From waiting to sending, before a token goes out. False: it was cancelled.
    bool send(SaleId sale);
    /// Nothing went out after all.
    void unsent(SaleId sale);
    /// The meter has this token; with the last one the delivery is taken, which the journal of vending gets.
    void took(SaleId sale, int place, const std::string& result, Instant now);
    /// The meter took this section of a key, and may forget it again: the digits stay. With the first one all
    /// others are to come (again).
    void accepted(SaleId sale, int place, const std::string& result, Instant now);
    /// The meter will not have it. Without a token taken before, the sale may be taken back again.
    void refused(SaleId sale, int place, const std::string& result, Instant now);
    void saw(SaleId sale, const MeterBalance& balance);
    /// From taken to reconnecting.
    bool reconnecting(SaleId sale, JobId job);
    /// The job did not do it: from reconnecting back to taken.
    void undecided(SaleId sale);
    void postpone(SaleId sale, const std::string& detail, Instant next);
    /// To done where the meter has the tokens, else to failed.
    void finish(SaleId sale, const std::string& detail, const std::string& relay, Instant now);
    /// Whether the last order to the meter's breaker that was carried out cut it off.
    bool cut_off(DeviceNumber meter);

private:
    void read_tokens(Delivery& delivery);
    Connection& connection_;
};

}  // namespace wattmesh::headend::database
