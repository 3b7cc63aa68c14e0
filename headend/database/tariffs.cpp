#include "headend/database/tariffs.h"

#include "headend/database/bindings.h"

namespace wattmesh::headend::database {
namespace {

using pricing::Levy;
using pricing::Step;
using pricing::Tax;

void add_steps(soci::session& sql, pricing::TariffVersionId version, const std::vector<Step>& steps) {
    int place = 0;
    for (const auto& step : steps) {
        const long long up_to = step.up_to ? step.up_to->count : 0, price = step.price.mills;
        soci::indicator there = step.up_to ? soci::i_ok : soci::i_null;
        sql << "insert into tariff_step values (:version, :place, :up_to, :price)", use(version), use(place),
            soci::use(up_to, there), use(price);
        ++place;
    }
}

void add_levies(soci::session& sql, pricing::TariffVersionId version, const std::vector<Levy>& levies) {
    int place = 0;
    for (const auto& levy : levies) {
        const long long per_unit = levy.per_unit.mills;
        const int ppm = levy.share.ppm;
        sql << "insert into tariff_levy values (:version, :place, :name, :per_unit, :ppm)", use(version),
            use(place), use(levy.name), use(per_unit), use(ppm);
        ++place;
    }
}

void add_taxes(soci::session& sql, pricing::TariffVersionId version, const std::vector<Tax>& taxes) {
    int place = 0;
    for (const auto& tax : taxes) {
        const int ppm = tax.share.ppm, levies = tax.on_levies ? 1 : 0, charges = tax.on_charges ? 1 : 0;
        sql << "insert into tariff_tax values (:version, :place, :name, :ppm, cast(:levies as integer) = 1, "
               "cast(:charges as integer) = 1)",
            use(version), use(place), use(tax.name), use(ppm), use(levies), use(charges);
        ++place;
    }
}

void read_parts(soci::session& sql, pricing::Tariff& tariff) {
    const soci::rowset<soci::row> steps =
        (sql.prepare
             << "select up_to_tenths, price_mills from tariff_step where version = :id order by place",
         use(tariff.id));
    for (const auto& row : steps) {
        Step step;
        if (row.get_indicator(0) == soci::i_ok) step.up_to = pricing::Tenths{row.get<long long>(0)};
        step.price = {row.get<long long>(1)};
        tariff.steps.push_back(step);
    }
    const soci::rowset<soci::row> levies =
        (sql.prepare
             << "select name, per_unit_mills, ppm from tariff_levy where version = :id order by place",
         use(tariff.id));
    for (const auto& row : levies)
        tariff.levies.push_back({row.get<std::string>(0), {row.get<long long>(1)}, {row.get<int>(2)}});
    const soci::rowset<soci::row> taxes =
        (sql.prepare << "select name, ppm, on_levies::int, on_charges::int from tariff_tax where version = "
                        ":id order by place",
         use(tariff.id));
    for (const auto& row : taxes)
        tariff.taxes.push_back(
            {row.get<std::string>(0), {row.get<int>(1)}, row.get<int>(2) != 0, row.get<int>(3) != 0});
}

}  // namespace

TariffId Tariffs::put(TenantId tenant, const std::string& code) {
    return connection_.run("storing a tariff", [&](soci::session& sql) {
        sql << "insert into tariff (tenant, code) values (:tenant, :code) on conflict do nothing",
            use(tenant), use(code);
        TariffId id;
        sql << "select id from tariff where tenant = :tenant and code = :code", use(tenant), use(code),
            soci::into(id);
        return id;
    });
}

std::optional<TariffId> Tariffs::find(TenantId tenant, const std::string& code) {
    return connection_.run("finding a tariff", [&](soci::session& sql) -> std::optional<TariffId> {
        TariffId id;
        sql << "select id from tariff where tenant = :tenant and code = :code", use(tenant), use(code),
            soci::into(id);
        if (!sql.got_data()) return std::nullopt;
        return id;
    });
}

pricing::TariffVersionId Tariffs::add_version(TariffId tariff, Instant valid_from,
                                              const pricing::Tariff& version) {
    return connection_.run("storing a tariff's version", [&](soci::session& sql) {
        const long long charge = version.charge_per_month.minor, least = version.tender_min.minor,
                        greatest = version.tender_max.minor;
        const int count = version.free_units_count ? 1 : 0, debts = version.debts_before_charges ? 1 : 0;
        pricing::TariffVersionId id;
        sql << "insert into tariff_version (tariff, valid_from_us, name, charge_per_month, "
               "charge_months_max, free_units_count, "
               "debts_before_charges, tender_min, tender_max) values (:tariff, :from, :name, :charge, "
               ":months, "
               "cast(:count as integer) = 1, cast(:debts as integer) = 1, :least, :greatest) returning id",
            use(tariff), use(valid_from), use(version.name), use(charge), use(version.charge_months_max),
            use(count), use(debts), use(least), use(greatest), soci::into(id);
        add_steps(sql, id, version.steps);
        add_levies(sql, id, version.levies);
        add_taxes(sql, id, version.taxes);
        return id;
    });
}

std::optional<pricing::Tariff> Tariffs::version(pricing::TariffVersionId id) {
    return connection_.run("reading a tariff", [&](soci::session& sql) -> std::optional<pricing::Tariff> {
        pricing::Tariff tariff{
            .id = id, .name = {}, .steps = {}, .levies = {}, .taxes = {}, .charge_per_month = {}};
        long long charge = 0, least = 0, greatest = 0;
        int count = 0, debts = 0;
        sql << "select name, charge_per_month, charge_months_max, free_units_count::int, "
               "debts_before_charges::int, tender_min, "
               "tender_max from tariff_version where id = :id",
            use(id), soci::into(tariff.name), soci::into(charge), soci::into(tariff.charge_months_max),
            soci::into(count), soci::into(debts), soci::into(least), soci::into(greatest);
        if (!sql.got_data()) return std::nullopt;
        tariff.charge_per_month = {charge};
        tariff.free_units_count = count != 0;
        tariff.debts_before_charges = debts != 0;
        tariff.tender_min = {least};
        tariff.tender_max = {greatest};
        read_parts(sql, tariff);
        return tariff;
    });
}

}  // namespace wattmesh::headend::database
