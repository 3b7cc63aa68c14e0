#include "tests/db/shop.h"

#include <soci/soci.h>

#include <catch2/catch.hpp>

#include "headend/database/vend_journal.h"

namespace wattmesh::test {

pricing::Tariff shop_tariff() {
    pricing::Tariff tariff{
        .id = {}, .name = "Home", .steps = {}, .levies = {}, .taxes = {}, .charge_per_month = {1'000}};
    tariff.steps = {{Tenths{500}, {200'000}}, {std::nullopt, {350'000}}};
    tariff.levies = {{"fund", {5'000}, {}}};
    tariff.taxes = {{"VAT", {150'000}}};
    return tariff;
}

std::vector<std::string> digits_in(const std::string& body) {
    std::vector<std::string> found;
    for (std::size_t i = 0; i + 26 <= body.size(); ++i) {
        if (body[i] != '"' || body[i + 25] != '"' || body[i + 5] != ' ') continue;
        std::string digits;
        for (std::size_t k = i + 1; k < i + 25; ++k)
            if (body[k] != ' ') digits += body[k];
        if (digits.size() == 20 && digits.find_first_not_of("0123456789") == std::string::npos)
            found.push_back(digits);
    }
    return found;
}

Shop::Shop(int meters) {
    open_module();
    load_key(201457, 1);
    Tariffs tariffs{admin};
    tariff = tariffs.put(TenantId{1}, "home");
    tariffs.add_version(tariff, Instant{}, shop_tariff());
    Vendors vendors{admin};
    for (const std::string name : {"Corner", "Kiosk"}) {
        const auto vendor = vendors.put(TenantId{1}, name, {}, {}, false);
        vendors.put_terminal(vendor, name == "Corner" ? "T1" : "K1", false);
        if (name == "Corner") vendors.put_terminal(vendor, "T2", false);
        deposit(name, 10'000'000);
    }
    Customers customers{admin};
    const pricing::Month month{2026 * 12 + 2};
    for (int i = 0; i < meters; ++i) {
        const auto account = customers.put({.number = "A" + std::to_string(i),
                                            .name = "Customer " + std::to_string(i),
                                            .address = "Road 1",
                                            .tariff = tariff,
                                            .free_units = {},
                                            .opened = month});
        customers.put_meter({.id = {}, .pan = pan(i), .supply_group = {201457}}, account);
    }
}

void Shop::open_module() {
    module.reset();
    module = std::make_unique<security::SoftwareModule>(
        security::SoftwareModuleSettings{folder.path / "module"}, master, random);
}

void Shop::load_key(std::uint32_t group, std::uint8_t revision, std::uint64_t units_limit) {
    const auto key = *sts::VendingKey::from(*from_hex("abababababababab949494949494949401234567"));
    module->load_key({.name = {{group}, revision}, .units_limit = units_limit}, key,
                     security::VendingKeyFile::check_value(sts::Derivation::dkga04, key));
}

sts::MeterPan Shop::pan(int meter) {
    auto digits = std::to_string(10'000'000'000 + meter).substr(1);
    digits = digits.substr(0, 10);
    return std::get<sts::MeterPan>(sts::MeterPan::parse(digits + sts::check_digit(digits)));
}

Order Shop::order(int meter, const std::string& key, std::int64_t tender, const std::string& till) {
    const auto terminal = Vendors{admin}.terminal(till);
    REQUIRE(terminal);
    return {.terminal = *terminal,
            .operator_ = "anna",
            .key = key,
            .body_hash = Buffer(32, static_cast<std::uint8_t>(tender)),
            .meter = pan(meter),
            .tender = {tender},
            .units = {},
            .command = {},
            .target = {}};
}

Seller Shop::seller(std::function<void(Step)> reached) {
    return Seller{{*module, master, clock, std::move(reached)}};
}

Reply Shop::sold(const SaleAnswer& answer) {
    if (const auto* no = std::get_if<Objection>(&answer)) FAIL(to_string(no->reason) << ": " << no->words);
    return std::get<Reply>(answer);
}
Reason Shop::refused(const SaleAnswer& answer) {
    REQUIRE(std::holds_alternative<Objection>(answer));
    return std::get<Objection>(answer).reason;
}

void Shop::deposit(const std::string& name, std::int64_t amount) {
    Vendors vendors{admin};
    const auto vendor = vendors.find(TenantId{1}, name);
    REQUIRE(vendor);
    Sale sale;
    sale.kind = SaleKind::deposit;
    sale.state = SaleState::issued;
    static int count = 0;
    sale.key = "deposit " + std::to_string(++count);
    sale.operator_ = "boss";
    sale.vendor = vendor->id;
    sale.at = clock.now();
    sale.day = std::chrono::floor<std::chrono::days>(sale.at);
    sale.tender = {amount};
    pricing::Line line{.kind = pricing::LineKind::fee, .name = "deposit", .amount = {amount}};
    sale.lines.push_back({line, vendors.account(TenantId{1}, "bank", "deposits"), vendor->account});
    REQUIRE(Sales{admin}.intend(sale, nullptr) == Intended::stored);
}

long long Shop::value(const std::string& query) {
    return admin.run("asking", [&](soci::session& sql) {
        long long result = 0;
        sql << "select (" + query + ")::bigint", soci::into(result);
        return result;
    });
}
std::string Shop::text(const std::string& query) {
    return admin.run("asking", [&](soci::session& sql) {
        std::string result;
        sql << query, soci::into(result);
        return result;
    });
}

std::string Shop::books() {
    std::string all;
    for (const auto& line : VendJournal{vending}.check()) all += line + "\n";
    return all;
}

}  // namespace wattmesh::test
