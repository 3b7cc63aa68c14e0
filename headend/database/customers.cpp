#include "headend/database/customers.h"

#include "headend/database/prepaid_meter_row.h"

namespace wattmesh::headend::database {
namespace {

sts::MeterPan pan_of(std::string_view digits) {
    const auto pan = sts::MeterPan::parse(digits);
    if (!std::holds_alternative<sts::MeterPan>(pan))
        throw DatabaseError(Trouble::refused, "", "a meter's number has wrong check digits");
    return std::get<sts::MeterPan>(pan);
}

}  // namespace

PrepaidMeter prepaid_meter_of(const BinaryRows& rows, int row) {
    PrepaidMeter meter{.id = {rows.integer(row, 0)},
                       .tenant = {static_cast<std::int32_t>(rows.integer(row, 1))},
                       .pan = pan_of(rows.text(row, 2))};
    meter.supply_group = {static_cast<std::uint32_t>(rows.integer(row, 3))};
    meter.key_revision = static_cast<std::uint8_t>(rows.integer(row, 4));
    meter.tariff_index = static_cast<std::uint8_t>(rows.integer(row, 5));
    meter.key_type = static_cast<sts::KeyType>(rows.integer(row, 6));
    meter.algorithm = static_cast<sts::Algorithm>(rows.integer(row, 7));
    const auto base = base_of_year(static_cast<int>(rows.integer(row, 8)));
    if (!base) throw DatabaseError(Trouble::refused, "", "a meter has an unknown base date");
    meter.base = *base;
    if (const auto tid = rows.maybe(row, 9)) meter.last_tid = sts::Tid{static_cast<std::uint32_t>(*tid)};
    if (!rows.is_null(row, 10)) meter.blocked_why = std::string{rows.text(row, 10)};
    if (const auto number = rows.maybe(row, 11)) meter.gateway = device_number(*number);
    return meter;
}

int year_of(sts::BaseDate base) {
    return base == sts::BaseDate::y1993 ? 1993 : base == sts::BaseDate::y2014 ? 2014 : 2035;
}

std::optional<sts::BaseDate> base_of_year(int year) { return sts::base_date(static_cast<unsigned>(year)); }

PrepaidAccountId Customers::put(const PrepaidCustomer& customer) {
    return connection_.run("storing a customer", [&](soci::session& sql) {
        const int free = static_cast<int>(customer.free_units.count), opened = customer.opened.value,
                  before = opened - 1;
        PrepaidAccountId id;
        sql << "insert into customer_account (tenant, area, number, name, address, tariff, free_tenths, "
               "month, charged_until) values "
               "(:tenant, :area, :number, :name, :address, :tariff, :free, :month, :charged) on conflict "
               "(tenant, number) do update "
               "set name = excluded.name, address = excluded.address, tariff = excluded.tariff, free_tenths "
               "= excluded.free_tenths "
               "returning id",
            use(customer.tenant), use(customer.area), use(customer.number), use(customer.name),
            use(customer.address), use(customer.tariff), use(free), use(opened), use(before), soci::into(id);
        return id;
    });
}

std::optional<PrepaidAccountId> Customers::find(TenantId tenant, const std::string& number) {
    return connection_.run("finding a customer", [&](soci::session& sql) -> std::optional<PrepaidAccountId> {
        PrepaidAccountId id;
        sql << "select id from customer_account where tenant = :tenant and number = :number", use(tenant),
            use(number), soci::into(id);
        if (!sql.got_data()) return std::nullopt;
        return id;
    });
}

std::optional<PrepaidAccountId> Customers::account_of(PrepaidMeterId meter) {
    return connection_.run("finding a meter's customer", [&](soci::session& sql) {
        std::optional<PrepaidAccountId> account;
        sql << "select account from prepaid_meter where id = :meter", use(meter), soci::into(account);
        return account;
    });
}

PrepaidMeterId Customers::put_meter(const PrepaidMeter& meter, std::optional<PrepaidAccountId> account) {
    return connection_.run("storing a prepayment meter", [&](soci::session& sql) {
        const std::string pan{meter.pan.digits()}, number{meter.pan.meter_number()};
        const int group = static_cast<int>(meter.supply_group.value), revision = meter.key_revision,
                  index = meter.tariff_index, type = static_cast<int>(meter.key_type),
                  algorithm = static_cast<int>(meter.algorithm), base = year_of(meter.base);
        const std::string why = meter.blocked_why.value_or("");
        PrepaidMeterId id;
        sql << "update customer_account set version = version + 1 where id in (select account from "
               "prepaid_meter where pan = :pan)",
            use(pan);
        sql << "insert into prepaid_meter (tenant, pan, meter_number, account, supply_group, key_revision, "
               "tariff_index, key_type, "
               "algorithm, base_year, blocked_why) values (:tenant, :pan, :number, :account, :group, "
               ":revision, :index, :type, "
               ":algorithm, :base, nullif(:why, '')) on conflict (pan) do update set account = "
               "excluded.account, supply_group = "
               "excluded.supply_group, key_revision = excluded.key_revision, tariff_index = "
               "excluded.tariff_index, key_type = "
               "excluded.key_type, algorithm = excluded.algorithm, base_year = excluded.base_year, "
               "blocked_why = "
               "excluded.blocked_why, last_tid = case when prepaid_meter.base_year = excluded.base_year then "
               "prepaid_meter.last_tid "
               "end returning id",
            use(meter.tenant), use(pan), use(number), use(account), use(group), use(revision), use(index),
            use(type), use(algorithm), use(base), use(why), soci::into(id);
        return id;
    });
}

bool Customers::set_device(PrepaidMeterId meter, std::optional<DeviceNumber> device) {
    return connection_.run("tying a prepayment meter to the mesh", [&](soci::session& sql) {
        const long long number = device ? number_of(*device) : -1;
        soci::statement tie =
            (sql.prepare
                 << "update prepaid_meter set meter = (select d.id from meter d where d.number = :number) "
                    "where id = :id and (cast(:number as bigint) = -1 or exists (select from meter d where "
                    "d.number = :number))",
             soci::use(number, "number"), soci::use(meter, "id"));
        tie.execute(true);
        return tie.get_affected_rows() == 1;
    });
}

std::optional<PrepaidMeter> Customers::meter(const sts::MeterPan& pan) {
    return first_meter("m.pan = $1", std::string{pan.digits()});
}
std::optional<PrepaidMeter> Customers::meter(PrepaidMeterId id) { return first_meter("m.id = $1", id); }

std::optional<PrepaidMeter> Customers::first_meter(const char* condition, const Parameter& which) {
    const auto rows = BinaryRows::kept(
        connection_,
        std::string{"select "} + prepaid_meter_columns + " from prepaid_meter m where " + condition, {which},
        "finding a prepayment meter");
    if (rows.size() == 0) return std::nullopt;
    return prepaid_meter_of(rows, 0);
}

std::optional<pricing::DebtId> Customers::put_debt(PrepaidAccountId account, const CustomerDebt& added) {
    return connection_.run("storing a debt", [&](soci::session& sql) -> std::optional<pricing::DebtId> {
        const auto& debt = added.debt;
        const std::string recovery{to_string(debt.recovery)};
        const long long original = debt.original.minor, balance = debt.balance.minor,
                        floor = debt.floor.minor, cap = debt.cap.minor, instalment = debt.instalment.minor;
        const int ppm = debt.share.ppm, first = debt.first_month.value, held = added.held ? 1 : 0;
        pricing::DebtId id;
        sql << "insert into customer_debt (account, name, recovery, original, balance, ppm, floor, cap, "
               "instalment, first_month, "
               "priority, held) values (:account, :name, :recovery, :original, :balance, :ppm, :floor, :cap, "
               ":instalment, :first, "
               ":priority, cast(:held as integer) = 1) on conflict (account, name) do update set recovery = "
               "excluded.recovery, ppm = excluded.ppm, floor = excluded.floor, cap = excluded.cap, "
               "instalment = excluded.instalment, first_month = excluded.first_month, priority = "
               "excluded.priority, held = excluded.held where customer_debt.original = excluded.original "
               "returning id",
            use(account), use(debt.name), use(recovery), use(original), use(balance), use(ppm), use(floor),
            use(cap), use(instalment), use(first), use(added.priority), use(held), soci::into(id);
        if (!sql.got_data()) return std::nullopt;
        sql << "update customer_account set version = version + 1 where id = :account", use(account);
        return id;
    });
}

bool Customers::raise_tid(const sts::MeterPan& pan, sts::Tid tid) {
    return connection_.run("raising a meter's identifier", [&](soci::session& sql) {
        const std::string digits{pan.digits()};
        const int value = static_cast<int>(tid.value);
        soci::statement raise =
            (sql.prepare << "update prepaid_meter set last_tid = :tid where pan = :pan and "
                            "coalesce(last_tid, -1) < :tid",
             soci::use(value, "tid"), soci::use(digits, "pan"));
        raise.execute(true);
        return raise.get_affected_rows() == 1;
    });
}

void Customers::set_key(PrepaidMeterId meter, sts::SupplyGroup group, std::uint8_t revision,
                        std::uint8_t tariff_index, sts::BaseDate base) {
    connection_.run("noting a meter's new key", [&](soci::session& sql) {
        const int group_value = static_cast<int>(group.value), revision_value = revision,
                  index = tariff_index, year = year_of(base);
        sql << "update prepaid_meter set supply_group = :group, key_revision = :revision, tariff_index = "
               ":index, last_tid = case "
               "when base_year = :year then last_tid end, base_year = :year where id = :id",
            soci::use(group_value, "group"), soci::use(revision_value, "revision"), soci::use(index, "index"),
            soci::use(year, "year"), soci::use(meter, "id");
    });
}

}  // namespace wattmesh::headend::database
