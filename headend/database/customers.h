#pragma once
#include <optional>
#include <string>
#include <vector>

#include "headend/database/connection.h"
#include "headend/database/vend_ids.h"
#include "protocol/sts/keys.h"
#include "protocol/sts/meter_pan.h"

namespace wattmesh::headend::database {

class Parameter;

/// A usage point that buys in advance. What it bought and owes is counted here, and stays when its meter is
/// changed.
struct PrepaidCustomer {
    TenantId tenant{1};
    AreaId area{1};
    std::string number, name, address;
    TariffId tariff;
    pricing::Tenths free_units;  ///< each month
    pricing::Month opened;       ///< the first month whose charge is due
};

struct CustomerDebt {
    pricing::Debt debt;  ///< its id is not looked at
    int priority = 0;    ///< lower ones are collected first
    bool held = false;
};

/// What is said in public of a meter that takes tokens. Which key it holds is the vending module's.
struct PrepaidMeter {
    PrepaidMeterId id;
    TenantId tenant{1};
    sts::MeterPan pan;
    sts::SupplyGroup supply_group{};
    std::uint8_t key_revision = 1, tariff_index = 1;
    sts::KeyType key_type = sts::KeyType::unique;
    sts::Algorithm algorithm = sts::Algorithm::ea11;
    sts::BaseDate base = sts::BaseDate::y2014;
    std::optional<sts::Tid> last_tid{};
    std::optional<std::string> blocked_why{};
    std::optional<DeviceNumber> gateway{};  ///< takes tokens through the mesh, under this number
};

/// Tables customer_account, customer_debt and prepaid_meter, as the owner keeps them (`headend vend set`).
class Customers {
public:
    explicit Customers(Connection& connection) : connection_(connection) {}

    /// Adds the account, or changes name, address, tariff and free units.
    PrepaidAccountId put(const PrepaidCustomer& customer);
    std::optional<PrepaidAccountId> find(TenantId tenant, const std::string& number);
    /// Which registered meter it is; nothing: none. One with a token gateway gets its tokens there, any other
    /// can be counted by the server. False when there is no such meter.
    bool set_device(PrepaidMeterId meter, std::optional<DeviceNumber> device);
    /// Whose meter it is.
    std::optional<PrepaidAccountId> account_of(PrepaidMeterId meter);
    /// Adds the meter, or changes what the record says; identifiers go on. A sale that read the record before
    /// is priced again.
    PrepaidMeterId put_meter(const PrepaidMeter& meter, std::optional<PrepaidAccountId> account);
    std::optional<PrepaidMeter> meter(const sts::MeterPan& pan);
    std::optional<PrepaidMeter> meter(PrepaidMeterId id);
    /// Adds the debt, or changes the terms of the account's debt of that name; its balance stays what the
    /// ledger made of it. Nothing when that debt was of another amount.
    std::optional<pricing::DebtId> put_debt(PrepaidAccountId account, const CustomerDebt& debt);
    /// Of a smaller identifier than `tid`, the meter's next token gets one above it. False when it knew.
    bool raise_tid(const sts::MeterPan& pan, sts::Tid tid);
    /// The key that a key change leads to; of another base date, identifiers begin anew.
    void set_key(PrepaidMeterId meter, sts::SupplyGroup group, std::uint8_t revision,
                 std::uint8_t tariff_index, sts::BaseDate base);

private:
    std::optional<PrepaidMeter> first_meter(const char* condition, const Parameter& which);

    Connection& connection_;
};

/// 1993, 2014 or 2035.
int year_of(sts::BaseDate base);
/// `parse_base_year(2014)`; nothing when it is none.
std::optional<sts::BaseDate> base_of_year(int year);

}  // namespace wattmesh::headend::database
