#pragma once
#include <optional>
#include <string>
#include <vector>

#include "headend/database/users.h"
#include "headend/database/vend_ids.h"

namespace wattmesh::headend::database {

class Parameter;

struct Vendor {
    VendorId id;
    TenantId tenant;
    std::string name;
    LedgerAccountId account;
    pricing::Money credit, credit_floor;
    pricing::Fee fee;
    bool disabled = false;
};

struct VendTerminal {
    TerminalId id;
    std::string name;
    Vendor vendor;
    bool disabled = false;
};

struct Shift {
    ShiftId id;
    std::string operator_;
    Instant opened{};
    std::optional<Instant> closed;
    pricing::Money expected, counted;  ///< of a closed one
};

/// Tables vendor, vend_terminal, vend_operator and ledger_account.
class Vendors {
public:
    explicit Vendors(Connection& connection) : connection_(connection) {}

    /// The account of that name, made when it is new. `kind` is one of the schema's.
    LedgerAccountId account(TenantId tenant, std::string_view kind, const std::string& name);
    /// Adds the vendor, or changes floor, fee and whether he may sell.
    VendorId put(TenantId tenant, const std::string& name, pricing::Money credit_floor,
                 const pricing::Fee& fee, bool disabled);
    std::optional<Vendor> find(TenantId tenant, const std::string& name);
    /// Adds the terminal, or changes whether it may sell; false when another vendor has one of this name.
    bool put_terminal(VendorId vendor, const std::string& name, bool disabled);
    std::optional<VendTerminal> terminal(const std::string& name);
    std::optional<VendTerminal> terminal(TerminalId id);
    /// The one whose tills the user may use.
    std::optional<VendorId> vendor_of(UserId user);
    /// False when there is no such user.
    bool put_operator(const std::string& login, VendorId vendor);

private:
    std::optional<VendTerminal> first_terminal(const char* condition, const Parameter& which);

    Connection& connection_;
};

/// Table vend_shift. A terminal has one shift open at most.
class Shifts {
public:
    explicit Shifts(Connection& connection) : connection_(connection) {}
    /// Nothing when one is open already.
    std::optional<ShiftId> open(TerminalId terminal, const std::string& by, Instant now);
    std::optional<Shift> current(TerminalId terminal);
    /// Ends the open shift; `counted` is what was found in the drawer. Nothing when none is open.
    std::optional<Shift> close(TerminalId terminal, pricing::Money counted, Instant now);

private:
    Connection& connection_;
};

}  // namespace wattmesh::headend::database
