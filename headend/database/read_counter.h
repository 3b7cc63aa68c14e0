#pragma once
#include <optional>
#include <string>
#include <vector>

#include "headend/database/sales.h"

namespace wattmesh::headend::database {

/// A till with the shift that is open at it.
struct Till {
    VendTerminal terminal;
    std::optional<Shift> shift;
};

/// A customer's meter, as it is found by name.
struct MeterFound {
    std::string meter, account, customer, address;
};

/// One line of a till's list of sales.
struct SoldLine {
    SaleId id;
    std::string kind, state, delivery;  ///< words of SaleKind, SaleState and DeliveryState; delivery: or none
    Instant at{};
    std::string meter;  ///< empty: none
    pricing::Money tender;
    pricing::Tenths units, free_units;
    std::string pay_type, operator_;
    bool confirmed = false;
    int copies = 0;
};

/// What was sold to a meter last.
struct MeterPast {
    std::optional<Instant> bought;
    pricing::Money tender;
    pricing::Tenths units;
    std::optional<Instant> key_changed;  ///< the newest order to change its key
};

/// What the pages of counter and machine list. Read only.
class CounterReader {
public:
    explicit CounterReader(Connection& connection) : connection_(connection) {}

    /// Of one vendor, or of all of the tenant, by name; at most `most`.
    std::vector<Till> tills(TenantId tenant, std::optional<VendorId> vendor, int most);
    /// Customers with `words` in their name, whatever its letters' case, or with this number; at most `most`.
    std::vector<MeterFound> find(TenantId tenant, const std::string& words, int most);
    /// Newest first.
    std::vector<SoldLine> sold(TerminalId terminal, int most);
    MeterPast past(PrepaidMeterId meter);

private:
    Connection& connection_;
};

}  // namespace wattmesh::headend::database
