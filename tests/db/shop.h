#pragma once
#include <atomic>

#include "headend/database/tariffs.h"
#include "headend/vending/seller.h"
#include "security/software_module.h"
#include "tests/db/fixture/postgres.h"
#include "tests/security/folder.h"

namespace wattmesh::test {

using namespace headend::database;
using headend::vending::Objection;
using headend::vending::Order;
using headend::vending::Reason;
using headend::vending::Reply;
using headend::vending::SaleAnswer;
using headend::vending::Seller;
using headend::vending::Step;
using pricing::Money;
using pricing::Tenths;

struct SetClock final : platform::Clock {
    Instant now() const override { return at.load(); }
    std::chrono::nanoseconds real(Duration simulated) const override { return simulated; }
    std::atomic<Instant> at{Instant{std::chrono::sys_days{std::chrono::year{2026} / 3 / 10}} +
                            std::chrono::hours{6}};
};

struct Zeros final : Random {
    void fill(std::span<std::uint8_t> out) override { std::fill(out.begin(), out.end(), std::uint8_t{0x5A}); }
};

/// A database with a tariff, vendors and meters, and a software module with key 201457/1 of the published
/// sets.
struct Shop {
    explicit Shop(int meters = 3);
    void open_module();
    /// The published key with these limits.
    void load_key(std::uint32_t group, std::uint8_t revision, std::uint64_t units_limit = 1'000'000'000);
    static sts::MeterPan pan(int meter);
    Order order(int meter, const std::string& key, std::int64_t tender, const std::string& till = "T1");
    Seller seller(std::function<void(Step)> reached = {});
    static Reply sold(const SaleAnswer& answer);
    static Reason refused(const SaleAnswer& answer);
    void deposit(const std::string& vendor, std::int64_t amount);
    long long value(const std::string& query);
    std::string text(const std::string& query);
    std::string books();  ///< what does not agree
    std::size_t calls() { return module->calls_after(0, 100'000).size(); }

    SetClock clock;
    security::Folder folder;
    security::FileMasterKey master{Key256{}};
    Zeros random;
    std::unique_ptr<security::SoftwareModule> module;
    TestDatabase database;
    Connection admin{database.settings()}, vending{database.settings("wm_vending")};
    TariffId tariff;
};

/// 2.00 a kWh to 50 kWh, 3.50 above; VAT 15 %, a levy of 0.05; 10.00 a month.
pricing::Tariff shop_tariff();

/// The digits of a receipt, without blanks.
std::vector<std::string> digits_in(const std::string& body);

}  // namespace wattmesh::test
