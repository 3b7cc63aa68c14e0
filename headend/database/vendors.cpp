#include "headend/database/vendors.h"

#include "headend/database/binary_rows.h"
#include "headend/database/bindings.h"

namespace wattmesh::headend::database {
namespace {

constexpr const char* vendor_columns =
    "v.id, v.tenant, v.name, v.account, v.credit, v.credit_floor, v.fee_fixed, v.fee_ppm, v.disabled::int";

Vendor vendor_of_row(const BinaryRows& rows, int first = 0) {
    return {.id = {static_cast<std::int32_t>(rows.integer(0, first))},
            .tenant = {static_cast<std::int32_t>(rows.integer(0, first + 1))},
            .name = std::string{rows.text(0, first + 2)},
            .account = {rows.integer(0, first + 3)},
            .credit = {rows.integer(0, first + 4)},
            .credit_floor = {rows.integer(0, first + 5)},
            .fee = {{rows.integer(0, first + 6)}, {static_cast<std::int32_t>(rows.integer(0, first + 7))}},
            .disabled = rows.integer(0, first + 8) != 0};
}

}  // namespace

LedgerAccountId Vendors::account(TenantId tenant, std::string_view kind, const std::string& name) {
    return connection_.run("finding an account of the ledger", [&](soci::session& sql) {
        const std::string word{kind};
        LedgerAccountId id;
        sql << "select id from ledger_account where tenant = :tenant and kind = :kind and name = :name",
            use(tenant), use(word), use(name), soci::into(id);
        if (sql.got_data()) return id;
        sql << "insert into ledger_account (tenant, kind, name) values (:tenant, :kind, :name) on conflict "
               "do nothing",
            use(tenant), use(word), use(name);
        sql << "select id from ledger_account where tenant = :tenant and kind = :kind and name = :name",
            use(tenant), use(word), use(name), soci::into(id);
        return id;
    });
}

VendorId Vendors::put(TenantId tenant, const std::string& name, pricing::Money credit_floor,
                      const pricing::Fee& fee, bool disabled) {
    const auto ledger = account(tenant, "vendor", name);
    return connection_.run("storing a vendor", [&](soci::session& sql) {
        const long long floor = credit_floor.minor, fixed = fee.fixed.minor;
        const int ppm = fee.share.ppm, flag = disabled ? 1 : 0;
        VendorId id;
        sql << "insert into vendor (tenant, name, account, credit_floor, fee_fixed, fee_ppm, disabled) "
               "values (:tenant, :name, "
               ":account, :floor, :fixed, :ppm, cast(:flag as integer) = 1) on conflict (tenant, name) do "
               "update set credit_floor = "
               "excluded.credit_floor, fee_fixed = excluded.fee_fixed, fee_ppm = excluded.fee_ppm, disabled "
               "= excluded.disabled "
               "returning id",
            use(tenant), use(name), use(ledger), use(floor), use(fixed), use(ppm), use(flag), soci::into(id);
        return id;
    });
}

std::optional<Vendor> Vendors::find(TenantId tenant, const std::string& name) {
    const auto rows = BinaryRows::kept(
        connection_,
        std::string{"select "} + vendor_columns + " from vendor v where tenant = $1 and name = $2",
        {tenant, name}, "finding a vendor");
    if (rows.size() == 0) return std::nullopt;
    return vendor_of_row(rows);
}

bool Vendors::put_terminal(VendorId vendor, const std::string& name, bool disabled) {
    return connection_.run("storing a terminal", [&](soci::session& sql) {
        const int flag = disabled ? 1 : 0;
        soci::statement put = (sql.prepare << "insert into vend_terminal (vendor, name, disabled) values "
                                              "(:vendor, :name, cast(:flag as integer) = 1) "
                                              "on conflict (name) do update set disabled = excluded.disabled "
                                              "where vend_terminal.vendor = "
                                              "excluded.vendor",
                               use(vendor), use(name), use(flag));
        put.execute(true);
        return put.get_affected_rows() == 1;
    });
}

std::optional<VendTerminal> Vendors::terminal(const std::string& name) {
    return first_terminal("t.name = $1", name);
}
std::optional<VendTerminal> Vendors::terminal(TerminalId id) { return first_terminal("t.id = $1", id); }

std::optional<VendTerminal> Vendors::first_terminal(const char* condition, const Parameter& which) {
    const auto rows =
        BinaryRows::kept(connection_,
                         std::string{"select t.id, t.name, t.disabled::int, "} + vendor_columns +
                             " from vend_terminal t join vendor v on v.id = t.vendor where " + condition,
                         {which}, "finding a terminal");
    if (rows.size() == 0) return std::nullopt;
    return VendTerminal{{static_cast<std::int32_t>(rows.integer(0, 0))},
                        std::string{rows.text(0, 1)},
                        vendor_of_row(rows, 3),
                        rows.integer(0, 2) != 0};
}

std::optional<VendorId> Vendors::vendor_of(UserId user) {
    return connection_.run("finding an operator's vendor",
                           [&](soci::session& sql) -> std::optional<VendorId> {
                               VendorId vendor;
                               sql << "select vendor from vend_operator where user_account = :user",
                                   use(user), soci::into(vendor);
                               if (!sql.got_data()) return std::nullopt;
                               return vendor;
                           });
}

bool Vendors::put_operator(const std::string& login, VendorId vendor) {
    return connection_.run("storing an operator", [&](soci::session& sql) {
        soci::statement put =
            (sql.prepare
                 << "insert into vend_operator select id, :vendor from user_account where login = :login on "
                    "conflict (user_account) do update set vendor = excluded.vendor",
             use(vendor), use(login));
        put.execute(true);
        return put.get_affected_rows() == 1;
    });
}

std::optional<ShiftId> Shifts::open(TerminalId terminal, const std::string& by, Instant now) {
    return connection_.run("opening a shift", [&](soci::session& sql) -> std::optional<ShiftId> {
        ShiftId id;
        sql << "insert into vend_shift (terminal, operator, opened_us) values (:terminal, :by, :now) on "
               "conflict do nothing "
               "returning id",
            use(terminal), use(by), use(now), soci::into(id);
        if (!sql.got_data()) return std::nullopt;
        return id;
    });
}

std::optional<Shift> Shifts::current(TerminalId terminal) {
    return connection_.run("reading a shift", [&](soci::session& sql) -> std::optional<Shift> {
        Shift shift;
        sql << "select id, operator, opened_us from vend_shift where terminal = :terminal and closed_us is "
               "null",
            use(terminal), soci::into(shift.id), soci::into(shift.operator_), soci::into(shift.opened);
        if (!sql.got_data()) return std::nullopt;
        return shift;
    });
}

std::optional<Shift> Shifts::close(TerminalId terminal, pricing::Money counted, Instant now) {
    return connection_.run("closing a shift", [&](soci::session& sql) -> std::optional<Shift> {
        Shift shift;
        shift.counted = counted;
        shift.closed = now;
        const long long found = counted.minor;
        long long expected = 0;
        Transaction transaction{connection_};
        sql << "select id, operator, opened_us from vend_shift where terminal = :terminal and closed_us is "
               "null for update",
            use(terminal), soci::into(shift.id), soci::into(shift.operator_), soci::into(shift.opened);
        if (!sql.got_data()) return std::nullopt;
        // A statement of its own: it sees the sales that the lock waited for.
        sql << "select coalesce((select sum(tender) from sale where shift = :shift and pay_type = 'cash' and "
               "(state in ('intended', 'issued') or (state = 'reversed' and paid_back_shift is distinct from "
               ":shift))), 0)::bigint - coalesce((select sum(tender) from sale where paid_back_shift = "
               ":shift "
               "and pay_type = 'cash' and state = 'reversed' and shift is distinct from :shift), 0)::bigint",
            soci::use(shift.id, "shift"), soci::into(expected);
        sql << "update vend_shift set closed_us = :now, counted = :counted, expected = :expected where id = "
               ":shift",
            use(now), use(found), use(expected), use(shift.id);
        transaction.commit();
        shift.expected = {expected};
        return shift;
    });
}

}  // namespace wattmesh::headend::database
