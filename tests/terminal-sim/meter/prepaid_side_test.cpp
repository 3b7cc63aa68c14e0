#include <catch2/catch.hpp>

#include "protocol/cosem/models/models.h"
#include "protocol/cosem/payment.h"
#include "protocol/sts/amount.h"
#include "terminal-sim/meter/meter.h"
#include "tests/protocol/sts/vectors.h"
#include "tests/terminal-sim/meter/town_street.h"

using namespace wattmesh;
using namespace wattmesh::sim;
using namespace wattmesh::sts;
using namespace std::chrono_literals;
using cosem::token_gateway::DeliveryMethod;
using cosem::token_gateway::StatusCode;
using cosem::token_gateway::TokenStatus;

namespace {

const char* const decoder_key = "929bd3a415c9420a05ec5ee9f3ce91c3";  // key N of the published sets

PrepaidSettings settings_n(std::int64_t balance) {
    PrepaidSettings settings{.pan = test::pan("600727000000000009"),
                             .key = {.supply_group = {201457}, .base = BaseDate::y2014},
                             .decoder_key = test::decoder_key(decoder_key)};
    settings.balance = balance;
    return settings;
}

/// A prepayment meter in a house, as its management client sees it.
struct PrepaidHouse {
    explicit PrepaidHouse(const PrepaidSettings& prepaid, const std::vector<Deed>& deeds = {}) : street(5) {
        MeterSettings made{.number = customer_number(0), .seed = 5, .installed_at = monday};
        made.prepaid = prepaid;
        if (prepaid.reconnection == cosem::Reconnection::by_command)
            made.model = &cosem::models::prepaid_remote;
        meter.emplace(std::move(made), *street.customers[0], &street.customers[0]->supply(), nullptr);
        meter->replay(deeds);
    }
    dlms::ActionOutcome call(std::uint16_t class_id, const ObisCode& object, std::int8_t method,
                             const dlms::Data& argument, Instant now) {
        std::optional<dlms::ActionOutcome> outcome;
        meter->act({class_id, object, method}, argument, management_client, now,
                   [&](auto o) { outcome = std::move(o); });
        return outcome.value();
    }
    TokenStatus enter(const std::string& digits, Instant now) {
        const auto outcome =
            call(115, prepaid_object::token_gateway, 1, dlms::octet_string(as_bytes(digits)), now);
        REQUIRE(outcome.result == dlms::AccessResult::success);
        return *cosem::token_gateway::token_status.read(outcome.value.value());
    }
    dlms::AccessResult breaker(std::int8_t method, Instant now) {
        return call(70, obis::disconnect_control, method, std::int8_t{0}, now).result;
    }
    template <class T>
    T value(std::uint16_t class_id, const ObisCode& object, const cosem::Attribute<T>& attribute,
            Instant now) {
        std::optional<dlms::ReadOutcome> outcome;
        meter->get({class_id, object, attribute.id}, {}, management_client, now,
                   [&](auto o) { outcome = std::move(o); });
        return *attribute.read(std::get<dlms::Data>(outcome.value()));
    }
    std::int64_t import(Instant at) const { return meter->registers(at).total().channels[0]; }
    bool closed(Instant now) {
        meter->advance(now);
        return meter->closed(now);
    }

    Street street;
    std::optional<Meter> meter;
};

std::string credit(Tid tid, std::uint64_t tenths) {
    return to_string(seal(Credit{Commodity::electricity, 5, tid, *encode_units(tenths)},
                          BlockCipher{test::decoder_key(decoder_key)}));
}
Tid tid_of(Instant at, std::uint32_t more = 0) { return {tid_at(BaseDate::y2014, at)->value + more}; }

constexpr ObisCode account{{0, 0, 19, 0, 0, 255}};

}  // namespace

TEST_CASE("prepaid: the light goes out with the last watt hour, and a token brings it back", "[sim]") {
    PrepaidHouse house{settings_n(3'000)};
    const std::int64_t start = house.import(monday);
    Instant out = monday;
    while (house.closed(out)) out += 1min;
    CHECK(out > monday + 30min);
    // a twin without prepayment says when 3000 Wh were used
    const Street twin{5};
    Ledger ledger{*twin.customers[0], monday};
    std::int64_t wh = 0;
    Instant used = monday;
    while (wh < 3'000) wh = ledger.at(used += 1s).total().channels[0];
    CHECK(house.import(out) - start == 3'000);
    CHECK(house.import(out + 24h) - start == 3'000);  // nothing flows
    CHECK(used > out - 2min);
    CHECK(used <= out + 1s);
    CHECK(house.value(111, account, cosem::account::available_credit, out) == 0);
    CHECK(house.breaker(2, out) == dlms::AccessResult::other_reason);  // no reconnection without credit

    const Instant later = out + 24h;
    CHECK(house.enter(credit(tid_of(later), 50), later).status_code == StatusCode::token_execution_ok);
    CHECK(house.closed(later));
    CHECK(house.value(111, account, cosem::account::available_credit, later) == 5'000);
    const Instant evening = later + 6h;
    CHECK(house.closed(evening));
    CHECK(house.value(111, account, cosem::account::available_credit, evening) ==
          5'000 - (house.import(evening) - start - 3'000));
    Instant again = later;
    while (house.closed(again)) again += 15min;
    CHECK(house.import(again) - start == 8'000);
}

TEST_CASE("prepaid: keypad and gateway share their memory; whichever comes second is used", "[sim]") {
    PrepaidHouse house{settings_n(0)};
    const Instant now = monday + 1h;
    CHECK_FALSE(house.closed(now));
    const auto digits = credit(tid_of(now), 100);
    CHECK(house.meter->enter_token(digits, DeliveryMethod::manual_entry, now).refusal == Refusal::none);
    const auto second = house.enter(digits, now + 1s);
    CHECK(second.status_code == StatusCode::validation_failure);
    CHECK(second.data_value == dlms::BitString{8, {static_cast<std::uint8_t>(Refusal::used)}});
    const auto& gateway = prepaid_object::token_gateway;
    using namespace cosem::token_gateway;
    CHECK(house.value(115, gateway, token_delivery_method, now + 2s) == DeliveryMethod::remote);
    CHECK(house.value(115, gateway, token, now + 2s) == to_buffer(as_bytes(digits)));
    CHECK(house.value(115, gateway, token_description, now + 2s) ==
          std::vector<Buffer>{to_buffer(as_bytes("used_error"))});
    CHECK(house.enter("12", now + 3s).status_code == StatusCode::token_format_failure);
    CHECK(house.enter(credit(tid_of(now), 0).replace(3, 1, "0"), now + 4s).status_code !=
          StatusCode::token_execution_ok);
    CHECK(house.enter(credit(tid_of(now, 1), 18'201'624), now + 5s).status_code ==
          StatusCode::token_execution_failure);
}

TEST_CASE("prepaid: a restart finds balance, memory and breaker as they were", "[sim]") {
    PrepaidHouse house{settings_n(2'000)};
    const Instant buy = monday + 36h, now = monday + 60h;
    static_cast<void>(house.closed(buy));
    CHECK(house.enter(credit(tid_of(buy), 120), buy).status_code == StatusCode::token_execution_ok);
    CHECK(house.breaker(1, buy + 1h) == dlms::AccessResult::success);  // the head-end opens
    CHECK_FALSE(house.closed(buy + 2h));
    CHECK(house.breaker(2, buy + 3h) == dlms::AccessResult::success);
    CHECK(house.closed(buy + 3h));
    static_cast<void>(house.closed(now));
    PrepaidHouse again{settings_n(2'000), house.meter->deeds()};
    static_cast<void>(again.closed(now));
    CHECK(again.import(now) == house.import(now));
    CHECK(again.closed(now) == house.closed(now));
    CHECK(again.meter->prepaid_at(now).balance() == house.meter->prepaid_at(now).balance());
    CHECK(again.meter->prepaid()->meter.state().tids == house.meter->prepaid()->meter.state().tids);
    CHECK(again.meter->load_profile().rows().size() == house.meter->load_profile().rows().size());
    CHECK(again.enter(credit(tid_of(buy), 120), now).data_value ==
          dlms::BitString{8, {static_cast<std::uint8_t>(Refusal::used)}});
}

TEST_CASE("prepaid: what the head-end opened stays open, whatever is bought", "[sim]") {
    PrepaidHouse house{settings_n(5'000)};
    const Instant now = monday + 1h;
    CHECK(house.breaker(1, now) == dlms::AccessResult::success);
    CHECK(house.enter(credit(tid_of(now), 100), now + 1min).status_code == StatusCode::token_execution_ok);
    CHECK_FALSE(house.closed(now + 2min));
    CHECK_FALSE(house.meter->reconnect_by_hand(now + 3min));
    CHECK(house.breaker(2, now + 4min) == dlms::AccessResult::success);
    CHECK(house.closed(now + 4min));
}

TEST_CASE("prepaid: with arming the customer's hand closes, and emergency credit can be called", "[sim]") {
    auto settings = settings_n(1'000);
    settings.reconnection = cosem::Reconnection::by_hand;
    PrepaidHouse house{settings};
    Instant now = monday;
    while (house.closed(now)) now += 1min;
    using cosem::disconnect_control::ControlState;
    CHECK(house.meter->control_state(now) == ControlState::disconnected);
    CHECK_FALSE(house.meter->reconnect_by_hand(now));
    const auto invoke = [&] {
        return house.call(112, prepaid_object::emergency_credit, 3, std::int8_t{0}, now).result;
    };
    CHECK(invoke() == dlms::AccessResult::success);
    CHECK(invoke() == dlms::AccessResult::other_reason);
    CHECK(house.meter->control_state(now) == ControlState::ready_for_reconnection);
    CHECK(house.meter->reconnect_by_hand(now));
    const std::int64_t at_once = house.import(now);
    while (house.closed(now)) now += 1min;
    CHECK(house.import(now) - at_once == 3'000);
    CHECK(house.value(111, account, cosem::account::amount_to_clear, now) == 3'000);
    PrepaidHouse again{settings, house.meter->deeds()};
    CHECK_FALSE(again.closed(now));
    CHECK(again.import(now) == house.import(now));
}

TEST_CASE("prepaid: a model that waits for a command stays dark until it comes, also over a restart",
          "[sim]") {
    auto settings = settings_n(0);
    settings.reconnection = cosem::Reconnection::by_command;
    PrepaidHouse house{settings};
    const Instant now = monday + 1h;
    CHECK(house.breaker(2, now) == dlms::AccessResult::other_reason);  // nothing was bought
    CHECK(house.enter(credit(tid_of(now), 50), now).status_code == StatusCode::token_execution_ok);
    CHECK_FALSE(house.closed(now + 1min));
    CHECK(house.meter->prepaid_at(now + 1min).relay() == Relay::waiting);
    CHECK_FALSE(house.meter->reconnect_by_hand(now + 2min));
    const auto& behind = *cosem::models::prepaid_remote.find(cosem::Quantity::load_side_voltage);
    const auto volts = [&](Instant at) {
        const auto read = house.meter->value_of({3, behind.name, 2}, {}, management_client, at);
        return std::get<dlms::Data>(read).integer().value();
    };
    CHECK(volts(now + 2min) == 0);
    house.meter->feed_from_behind(true);
    CHECK(volts(now + 2min) > 2'000);
    house.meter->feed_from_behind(false);
    CHECK(house.breaker(2, now + 3min) == dlms::AccessResult::success);
    CHECK(house.closed(now + 3min));
    CHECK(volts(now + 3min) > 2'000);
    PrepaidHouse again{settings, house.meter->deeds()};
    CHECK(again.closed(now + 3min));
    // and out again with the last watt hour
    Instant out = now + 3min;
    while (house.closed(out)) out += 15min;
    CHECK(house.meter->prepaid_at(out).relay() == Relay::open);
}

TEST_CASE("prepaid: a key change through the gateway shows in its attributes", "[sim]") {
    const auto row = test::rows("key_changes").at(7);  // EA11, PAN1, SGC 201457, TI 01 to 02
    PrepaidHouse house{settings_n(5'000)};
    const ObisCode sts{{0, 0, 19, 50, 0, 255}};
    const auto tokens = row->getArray("tokens");
    using namespace cosem::iec_62055_41_attributes;
    CHECK(house.value(116, sts, tariff_index, monday) == 1);
    for (unsigned i = 0; i < 4; ++i)
        CHECK(house.enter(tokens->getElement<std::string>(i), monday + 1h + i * 1s).status_code ==
              StatusCode::token_execution_ok);
    CHECK(house.value(116, sts, tariff_index, monday + 2h) == 2);
    CHECK(house.value(116, sts, supply_group_code, monday + 2h) == 201'457);
    CHECK(house.value(116, sts, meter_pan, monday + 2h) ==
          cosem::iec_62055_41_attributes::MeterPan{600'727, 0, 9});
    PrepaidHouse again{settings_n(5'000), house.meter->deeds()};
    CHECK(again.value(116, sts, tariff_index, monday + 2h) == 2);
}
