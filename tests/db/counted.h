#pragma once
#include "headend/database/meters.h"
#include "headend/database/prepayment_book.h"
#include "headend/database/scope.h"
#include "headend/monitor/prepayment_round.h"
#include "tests/db/shop.h"

namespace wattmesh::test {

using headend::monitor::charge_account;
using headend::monitor::prepayment_round;
using headend::monitor::PrepaymentRound;
using headend::monitor::PrepaymentSettings;
using headend::monitor::PrepaymentStep;

/// A shop whose customers' meters are counted by the server: readings come straight into the table, as ingest
/// leaves them.
struct Counted {
    explicit Counted(int meters = 1);
    /// Of somebody else's shop, whose meters are registered.
    explicit Counted(Shop& other);
    static DeviceNumber device(int meter);
    /// From the quarter hour that ends next on.
    void enrol(int meter = 0);
    /// An interval that ends at `at`.
    void reading(Instant at, std::optional<std::int64_t> wh, int meter = 0, int quality = 0, int status = 0);
    /// Used up, with two notices, at 13:30 on a Thursday: the next round cuts it off.
    void run_down();
    /// Every quarter hour in (from, to] of a meter.
    void use(Instant from, Instant to, std::int64_t wh, int meter = 0);
    void pay(std::int64_t tender, int meter = 0);
    PrepaidAccountId account(int meter = 0);
    bool charge(int meter = 0) { return charge_account(monitor, account(meter), shop.clock.now()); }
    PrepaymentRound round(const PrepaymentSettings& settings = {}) {
        return prepayment_round(monitor, settings, shop.clock.now());
    }
    void pass(Duration duration) { shop.clock.at = shop.clock.now() + duration; }
    std::int64_t balance(int meter = 0);
    std::string said(int meter = 0);
    PrepaymentBook book() { return PrepaymentBook{console}; }

    std::unique_ptr<Shop> own;
    Shop& shop;
    Connection monitor{shop.database.settings("wm_monitor")}, console{shop.database.settings("wm_console")};
    int meters = 1, payments = 0;
};

}  // namespace wattmesh::test
