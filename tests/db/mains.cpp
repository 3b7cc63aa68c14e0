#include "tests/db/mains.h"

namespace wattmesh::test {

using namespace std::chrono_literals;

Street::Street(cosem::Reconnection reconnection) : mains(shop.clock.now() - 1h, reconnection) {
    headend::database::Meters meters{shop.admin};
    meters.put({.number = headend::monitor::fixed::meter,
                .model = reconnection == cosem::Reconnection::by_command ? "WM-SIM-3R" : "WM-SIM-3P",
                .concentrator = {},
                .installed = shop.clock.now() - 1h});
    Customers customers{shop.admin};
    const auto meter = customers.meter(Shop::pan(0));
    REQUIRE(meter);
    REQUIRE(customers.set_device(meter->id, headend::monitor::fixed::meter));
}

std::string Street::sell(const std::string& key, bool confirmed) {
    auto seller = shop.seller();
    const auto reply = Shop::sold(seller.sell(shop.vending, shop.order(0, key, 10'000)));
    if (confirmed) CHECK(Sales{shop.vending}.confirm(sale(key), shop.clock.now(), "anna"));
    const auto at = reply.body.find("\"digits\":[\"") + 11;
    std::string digits = reply.body.substr(at, 24);
    digits.erase(std::remove(digits.begin(), digits.end(), ' '), digits.end());
    REQUIRE(digits.size() == 20);
    return digits;
}

void Street::change_key(const std::string& key) {
    auto seller = shop.seller();
    auto order = shop.order(0, key, 0);
    order.kind = SaleKind::key_change;
    order.target = headend::vending::KeyTarget{{{201458}, 1}, 1};
    CHECK(Shop::sold(seller.sell(shop.vending, order)).status == 200);
}

std::vector<std::string> Street::digits(const std::string& key) {
    const auto reply = shop.seller().stored(Sales{shop.vending}.find(sale(key)).value());
    REQUIRE(reply);
    return digits_in(reply->body);
}

SaleId Street::sale(const std::string& key) {
    return {shop.value("select id from sale where key = '" + key + "'")};
}

Delivery Street::delivery(const std::string& key) { return Deliveries{shop.vending}.find(sale(key)).value(); }

void Street::pass(std::vector<Monitor*> processes, Duration duration, Duration step) {
    const Instant end = shop.clock.now() + duration;
    while (shop.clock.now() < end) {
        shop.clock.at = shop.clock.now() + step;
        for (auto* process : processes) {
            process->work.look();
            process->runner.start();  // one look
        }
        while (!wires.keys.waiting.empty() || !wires.requests.empty()) {
            for (auto& answer : std::exchange(wires.keys.waiting, {})) answer();
            for (auto& [apdu, done] : std::exchange(wires.requests, {})) {
                const auto entries = mains.meter.deeds().size();
                Buffer answered;
                if (wires.status == RelayStatus::answered)
                    mains.server.handle(management_client, apdu, shop.clock.now(),
                                        [&](Buffer answer) { answered = std::move(answer); });
                const bool lost = mains.meter.deeds().size() > entries && wires.lose_entries > 0;
                if (lost) --wires.lose_entries;
                if (wires.status != RelayStatus::answered)
                    done({wires.status, {}});
                else
                    lost ? done({RelayStatus::timed_out, {}})
                         : done({RelayStatus::answered, std::move(answered)});
            }
        }
    }
}

void Street::deliver(const std::string& key) {
    Monitor process{shop, wires};
    for (int i = 0; i < 400 && !delivery(key).finished; ++i) pass({&process}, 5s);
    REQUIRE(delivery(key).finished);
}

}  // namespace wattmesh::test
