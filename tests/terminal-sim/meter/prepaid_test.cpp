#include <catch2/catch.hpp>

#include "protocol/sts/amount.h"
#include "terminal-sim/meter/prepaid_meter.h"
#include "tests/protocol/sts/vectors.h"

using namespace wattmesh;
using namespace wattmesh::sim;
using namespace wattmesh::sts;
using namespace std::chrono_literals;
using Kind = PrepaidEvent::Kind;

namespace {

constexpr Instant day = std::chrono::sys_days{std::chrono::year{2004} / 3 / 1};
const std::string t1 = "23716100501183194197";  // 0.1 kWh, TID 0x599863
constexpr std::uint32_t t1_tid = 0x599863;

/// PAN1 with key A of the published sets.
PrepaidSettings settings_a() {
    return {.pan = test::pan("600727000000000009"),
            .key = {.supply_group = {123456}},
            .decoder_key = test::decoder_key("e653341f9d5bf36f")};
}
/// A token for the meter with key A, as a vendor would make it.
std::string token(const Content& content) {
    return to_string(seal(content, BlockCipher{test::decoder_key("e653341f9d5bf36f")}));
}
std::string credit(std::uint32_t tid, std::uint64_t tenths) {
    return token(Credit{Commodity::electricity, 5, {tid}, *encode_units(tenths)});
}
std::string order(Command command, std::uint32_t tid, std::uint16_t value) {
    return token(Management{command, 5, {tid}, value});
}
std::vector<Kind> kinds(PrepaidMeter& meter) {
    std::vector<Kind> all;
    for (const auto& event : meter.take_events()) all.push_back(event.kind);
    return all;
}
PrepaidSettings settings_of(const test::Row& row) {
    return {.pan = test::pan(test::text(row, "pan")),
            .key = test::attributes(row),
            .decoder_key = test::derived(row)};
}

}  // namespace

TEST_CASE("prepaid meter: takes every published token of its kind once", "[sim]") {
    int taken = 0;
    for (const auto& row : test::rows("tokens")) {
        const std::string digits = test::text(row, "token");
        CAPTURE(digits);
        if (!row->has("key")) continue;
        auto settings = settings_of(row);
        settings.balance_max = 1'000'000'000'000'000'000;
        if (row->getValue<unsigned>("class") == 0 && row->getValue<unsigned>("subclass") >= 4)
            settings.price = 200'000;  // 2.00 per kWh
        PrepaidMeter meter{settings};
        const auto entry = meter.enter(digits, day);
        const auto content = test::content(row);
        const bool foreign =
            test::words(content).starts_with("0/1") || test::words(content).starts_with("0/2") ||
            test::words(content).starts_with("0/3") || test::words(content).starts_with("2/10") ||
            digits == "27341708351519231651";  // clears a currency register that it does not have
        if (foreign) {
            CHECK((entry.refusal == Refusal::function || entry.refusal == Refusal::range));
            continue;
        }
        const bool beyond = settings.price &&
                            decode_currency(std::get<CurrencyCredit>(content).amount) > settings.balance_max;
        CHECK(entry.refusal == (beyond ? Refusal::overflow : Refusal::none));
        if (beyond) continue;
        ++taken;
        CHECK(meter.enter(digits, day).refusal == Refusal::used);
        if (const auto* units = std::get_if<Credit>(&content))
            CHECK(meter.balance() == std::int64_t{decode_units(units->amount)} * 100);
    }
    CHECK(taken > 30);
}

TEST_CASE("prepaid meter: credit closes the relay, load counts it down, the end of it opens the relay",
          "[sim]") {
    PrepaidMeter meter{settings_a()};
    CHECK(meter.relay() == Relay::open);
    meter.consume(100, 1h, day);  // nothing flows through an open relay
    CHECK(meter.balance() == 0);
    CHECK(meter.enter(credit(t1_tid, 60), day).refusal == Refusal::none);  // 6 kWh
    CHECK(meter.relay() == Relay::closed);
    CHECK(meter.balance() == 6000);
    CHECK(kinds(meter) == std::vector{Kind::credit_added, Kind::relay_closed});
    meter.consume(999, 1h, day);
    CHECK(kinds(meter).empty());
    meter.consume(1, 1h, day + 1h);
    CHECK(kinds(meter) == std::vector{Kind::credit_low});  // at 5 kWh, once
    meter.consume(4999, 1h, day + 2h);
    CHECK(kinds(meter).empty());
    CHECK(meter.energy_left() == 1);
    meter.consume(1, 1h, day + 3h);
    CHECK(kinds(meter) == std::vector{Kind::relay_opened});
    CHECK(meter.relay() == Relay::open);
    CHECK(meter.state().used == 6000);
    CHECK(meter.enter(credit(t1_tid + 1, 100), day + 4h).refusal == Refusal::none);
    CHECK(kinds(meter) == std::vector{Kind::credit_added, Kind::relay_closed});
}

TEST_CASE("prepaid meter: emergency credit is given once, and paid back by the next token", "[sim]") {
    PrepaidMeter meter{settings_a()};
    meter.enter(credit(t1_tid, 60), day);
    CHECK_FALSE(meter.take_emergency(day));  // there is enough
    meter.consume(6000, 1h, day);
    CHECK(meter.relay() == Relay::open);
    CHECK(meter.take_emergency(day));
    CHECK(meter.relay() == Relay::closed);
    CHECK(meter.energy_left() == 3000);
    CHECK_FALSE(meter.take_emergency(day));
    meter.consume(3000, 1h, day);
    CHECK(meter.relay() == Relay::open);
    CHECK(meter.balance() == -3000);
    CHECK_FALSE(meter.take_emergency(day));
    meter.enter(credit(t1_tid + 1, 20), day);  // 2 kWh do not pay it back
    CHECK(meter.balance() == -1000);
    CHECK(meter.relay() == Relay::closed);  // what is left of the emergency credit
    meter.enter(credit(t1_tid + 2, 30), day);
    CHECK(meter.balance() == 2000);
    CHECK(meter.take_emergency(day));  // and may be asked for again
}

TEST_CASE("prepaid meter: with arming the customer closes the relay", "[sim]") {
    auto settings = settings_a();
    settings.reconnection = cosem::Reconnection::by_hand;
    PrepaidMeter meter{settings};
    meter.enter(credit(t1_tid, 60), day);
    CHECK(meter.relay() == Relay::armed);
    CHECK(meter.energy_left() == 0);
    meter.consume(100, 1h, day);
    CHECK(meter.balance() == 6000);
    meter.press_button(day);
    CHECK(meter.relay() == Relay::closed);
    CHECK(kinds(meter) == std::vector{Kind::credit_added, Kind::relay_armed, Kind::relay_closed});
}

TEST_CASE("prepaid meter: each identifier once, none below what it remembers", "[sim]") {
    PrepaidMeter meter{settings_a()};
    CHECK(meter.enter(t1, day).refusal == Refusal::none);
    CHECK(meter.enter(t1, day).refusal == Refusal::used);
    CHECK(meter.balance() == 100);
    // 49 newer ones: T1 is the lowest of fifty
    for (std::uint32_t i = 1; i < TidMemory::depth; ++i)
        REQUIRE(meter.enter(credit(t1_tid + 2 * i, 1), day).refusal == Refusal::none);
    CHECK(meter.enter(t1, day).refusal == Refusal::used);
    CHECK(meter.enter(credit(t1_tid - 1, 1), day).refusal == Refusal::old);
    CHECK(meter.enter(credit(t1_tid + 1, 1), day).refusal ==
          Refusal::none);                                 // out of order, but not too late
    CHECK(meter.enter(t1, day).refusal == Refusal::old);  // pushed out by it
    CHECK(meter.enter(credit(t1_tid + 2, 1), day).refusal == Refusal::used);
    CHECK(meter.balance() == 100 * 51);
    // management tokens share the identifiers
    CHECK(meter.enter(order(Command::clear_tamper, t1_tid + 2, 0), day).refusal == Refusal::used);
}

TEST_CASE("prepaid meter: guessing is met by longer and longer waits", "[sim]") {
    PrepaidMeter meter{settings_a()};
    const std::string wrong = "23716100501183194097";
    Instant now = day;
    CHECK(meter.enter(wrong, now).refusal == Refusal::checksum);
    CHECK(meter.enter(wrong, now).refusal == Refusal::checksum);
    for (const auto wait : {10s, 20s, 40s, 80s, 160s, 320s, 640s, 1280s, 1280s}) {
        CHECK(meter.enter(wrong, now).refusal == Refusal::checksum);
        CHECK(meter.enter(t1, now + wait - 1us).refusal == Refusal::locked_out);
        CHECK(meter.enter("56493153725450313471", now).refusal == Refusal::none);  // tests still work
        now += wait;
    }
    CHECK(meter.enter(t1, now).refusal == Refusal::none);
    CHECK(meter.enter(wrong, now).refusal == Refusal::checksum);
    CHECK(meter.enter(wrong, now).refusal == Refusal::checksum);
    CHECK(meter.enter("123", now).refusal == Refusal::format);  // a slip of the finger is no guess
    CHECK(meter.enter(t1, now).refusal == Refusal::used);
}

TEST_CASE("prepaid meter: every published key change set is taken, in any order", "[sim]") {
    for (const auto& row : test::rows("key_changes")) {
        const auto from = row->getObject("from"), to = row->getObject("to");
        const auto tokens = row->getArray("tokens");
        for (const bool backwards : {false, true}) {
            auto settings = settings_of(from);
            PrepaidMeter meter{settings};
            const Tid tid{5'000'000};
            const auto under = [&](const test::Row& key) {
                return to_string(
                    seal(Credit{Commodity::electricity, 5, tid, 100}, BlockCipher{test::derived(key)}));
            };
            CHECK(meter.enter(under(from), day).refusal == Refusal::none);
            const unsigned count = static_cast<unsigned>(tokens->size());
            for (unsigned i = 0; i < count; ++i) {
                const auto digits = tokens->getElement<std::string>(backwards ? count - 1 - i : i);
                CAPTURE(digits);
                const auto entry = meter.enter(digits, day + i * 1min);
                CHECK(entry.refusal == Refusal::none);
                CHECK(entry.sections == i + 1);
                CHECK(entry.sections_wanted == count);
            }
            auto wanted = test::attributes(to);
            CHECK(meter.state().key.revision == wanted.revision);
            CHECK(meter.state().key.tariff_index == wanted.tariff_index);
            CHECK(meter.state().key.expiry == wanted.expiry);
            CHECK(meter.state().key.base == wanted.base);
            if (count == 4) CHECK(meter.state().key.supply_group == wanted.supply_group);
            CHECK(meter.balance() == 10'000);  // credit survives
            CHECK(meter.enter(under(from), day).refusal == Refusal::checksum);
            const bool rollover = to->getValue<bool>("rollover");
            CHECK(meter.enter(under(to), day).refusal == (rollover ? Refusal::none : Refusal::used));
            CHECK(meter.state().key_changes == 1);
        }
    }
}

TEST_CASE("prepaid meter: sections of a key change are forgotten after ten minutes", "[sim]") {
    const auto row = test::rows("key_changes").at(0);
    const auto tokens = row->getArray("tokens");
    const auto first = tokens->getElement<std::string>(0), second = tokens->getElement<std::string>(1);
    PrepaidMeter meter{settings_of(row->getObject("from"))};
    CHECK(meter.enter(first, day).sections == 1);
    const auto late = meter.enter(second, day + 10min + 1us);
    CHECK(late.sections == 1);
    CHECK(meter.state().key_changes == 0);
    CHECK(meter.enter(second, day + 11min).sections == 1);  // the same one twice is one
    CHECK(meter.enter(first, day + 12min).sections == 2);
    CHECK(meter.state().key_changes == 1);
}

TEST_CASE("prepaid meter: types of keys and expiry are kept to", "[sim]") {
    auto settings = settings_a();
    settings.key.type = KeyType::normal;
    PrepaidMeter by_default{settings};
    CHECK(by_default.enter(t1, day).refusal == Refusal::default_key);
    CHECK(by_default.enter(order(Command::clear_tamper, t1_tid, 0), day).refusal == Refusal::none);
    settings.key.type = KeyType::unique;
    settings.key.expiry = 88;
    PrepaidMeter expired{settings};
    CHECK(expired.enter(t1, day).refusal == Refusal::key_expired);
    CHECK(expired.balance() == 0);
    // a key for cards
    auto common = settings_a().key;
    common.type = KeyType::common;
    PrepaidMeter meter{settings_a()};
    const auto set = key_change(common, test::decoder_key("060b8643c59a27f1"), false);
    CHECK(meter.enter(token(set[0]), day).refusal == Refusal::key_type);
    CHECK(meter.enter(token(set[1]), day).refusal == Refusal::none);
    CHECK(meter.state().key_changes == 0);
    const auto long_set = key_change({}, test::decoder_key("f94b6ed353c3bfdb113e2d3a7ea3c41d"), false);
    CHECK(meter.enter(token(long_set[2]), day).refusal == Refusal::function);  // four are for EA11
}

TEST_CASE("prepaid meter: orders by token", "[sim]") {
    PrepaidMeter meter{settings_a()};
    meter.enter(credit(t1_tid, 60), day);
    meter.tamper(day);
    CHECK(meter.relay() == Relay::open);
    meter.press_button(day);
    CHECK(meter.relay() == Relay::open);
    CHECK(meter.enter(order(Command::clear_tamper, t1_tid + 1, 0), day).refusal == Refusal::none);
    CHECK(meter.relay() == Relay::closed);
    CHECK(meter.enter(order(Command::power_limit, t1_tid + 2, 1000), day).refusal == Refusal::none);
    meter.consume(250, 15min, day);  // 1000 W
    CHECK(meter.relay() == Relay::closed);
    meter.consume(252, 15min, day);
    CHECK(meter.relay() == Relay::open);
    meter.press_button(day);
    CHECK(meter.relay() == Relay::closed);
    CHECK(meter.enter(order(Command::clear_credit, t1_tid + 3, 4), day).refusal == Refusal::range);
    CHECK(meter.enter(order(Command::clear_credit, t1_tid + 3, 9), day).refusal == Refusal::range);
    CHECK(meter.enter(order(Command::clear_credit, t1_tid + 3, every_register), day).refusal ==
          Refusal::none);
    CHECK(meter.balance() == 0);
    CHECK(meter.relay() == Relay::open);
    CHECK(meter.enter(order(Command::extended, t1_tid + 4, 0), day).refusal == Refusal::function);
}

TEST_CASE("prepaid meter: credit that does not fit is refused and may come again", "[sim]") {
    auto settings = settings_a();
    settings.balance_max = 10'000;
    PrepaidMeter meter{settings};
    CHECK(meter.enter(credit(t1_tid, 60), day).refusal == Refusal::none);
    CHECK(meter.enter(credit(t1_tid + 1, 60), day).refusal == Refusal::overflow);
    CHECK(meter.balance() == 6000);
    meter.consume(3000, 1h, day);
    CHECK(meter.enter(credit(t1_tid + 1, 60), day).refusal == Refusal::none);
    CHECK(meter.balance() == 9000);
}

TEST_CASE("prepaid meter: with a price it takes money, and gives back what a negative token says", "[sim]") {
    auto settings = settings_a();
    settings.price = 150'000;  // 1.50 per kWh
    PrepaidMeter meter{settings};
    const auto money = [](std::uint32_t tid, CurrencyCount count) {
        return token(CurrencyCredit{Commodity::electricity, {tid}, *encode_currency(count)});
    };
    CHECK(meter.enter(t1, day).refusal == Refusal::function);
    CHECK(meter.enter(money(t1_tid, 300'000), day).refusal == Refusal::none);
    const std::int64_t bought = meter.balance();
    CHECK(bought >= 300'000);
    CHECK(bought < 300'100);  // a step of 100 at this size
    const std::int64_t left = meter.energy_left();
    CHECK(left == (bought * 1000 + 149'999) / 150'000);
    for (std::int64_t i = 0; i < left - 1; ++i) meter.consume(1, 1min, day);  // thousandths are not lost
    CHECK(meter.relay() == Relay::closed);
    meter.consume(1, 1min, day);
    CHECK(meter.relay() == Relay::open);
    CHECK(meter.enter(money(t1_tid + 1, 100'000), day).refusal == Refusal::none);
    CHECK(meter.relay() == Relay::closed);
    CHECK(meter.enter(money(t1_tid + 2, -200'000), day).refusal == Refusal::none);
    CHECK(meter.relay() == Relay::open);
}

TEST_CASE("prepaid meter: test tokens show what they ask for", "[sim]") {
    PrepaidMeter meter{settings_a()};
    const auto shown = [&](const char* digits) { return meter.enter(digits, day).shown; };
    using Lines = std::vector<std::pair<std::string, std::string>>;
    CHECK(shown("18446744073843772416") == Lines{{"krn", "1"}});
    CHECK(shown("00000000549890034216") == Lines{{"sgc", "123456"}});
    CHECK(shown("00000002199157475960") == Lines{{"meter", "00000000000"}});
    CHECK(shown("00000000137573173770") == Lines{{"ea", "7"}});
    CHECK(shown("56493153725450313471").size() == 12);
    CHECK(meter.enter("02305843009347914912", day).refusal == Refusal::function);  // 1/2
    auto settings = settings_a();
    settings.manufacturer = 17;
    PrepaidMeter other{settings};
    const auto for_make = [](std::uint16_t make) {
        return to_string(seal(MeterTest{MeterTest::Form::two_digit_make, 1, make}));
    };
    CHECK(other.enter(for_make(18), day).refusal == Refusal::manufacturer);
    CHECK(other.enter(for_make(17), day).refusal == Refusal::none);
}

TEST_CASE("prepaid meter: goes on after a power cut where it was", "[sim]") {
    PrepaidMeter meter{settings_a()};
    meter.enter(t1, day);
    meter.enter("23716100501183194097", day);
    PrepaidMeter again{settings_a(), meter.state()};
    CHECK(again.balance() == 100);
    CHECK(again.relay() == Relay::closed);
    CHECK(again.enter(t1, day).refusal == Refusal::used);
    CHECK(again.state().tids == meter.state().tids);
    CHECK(again.state().wrong_entries == 1);
}
