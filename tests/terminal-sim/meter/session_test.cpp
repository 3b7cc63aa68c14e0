#include <catch2/catch.hpp>

#include "protocol/dcu/journal.h"
#include "protocol/dlms/client.h"
#include "protocol/dlms/date_time.h"
#include "protocol/link/hdlc_link.h"
#include "protocol/link/wrapper.h"
#include "security/ciphers.h"
#include "terminal-sim/meter/access.h"
#include "tests/terminal-sim/meter/town_street.h"

using namespace wattmesh;
using namespace wattmesh::sim;
using namespace wattmesh::dlms;
using namespace std::chrono_literals;

namespace {

Key128 key(std::uint8_t octet) {
    std::array<std::uint8_t, 16> octets;
    octets.fill(octet);
    return Key128{octets};
}

const SystemTitle concentrator_title = system_title(*DeviceNumber::parse("900000000001"));
const SystemTitle head_end_title{{'W', 'M', 'T', 'H', 'E', '0', '0', '1'}};

/// One meter with its server and everything a client needs to talk to it in memory.
struct Bench {
    explicit Bench(bool over_radio) : counters(2) {
        MeterSettings made{.number = customer_number(1), .seed = 5, .installed_at = monday};
        made.over_radio = over_radio;
        made.accepted_counter = [this](Sap client) {
            return counters.accepted(client == management_client ? management_slot(0) : reading_slot(0));
        };
        meter = std::make_unique<Meter>(made, *street.customers[1], &street.customers[1]->supply(), &truth);
        server = std::make_unique<Server>(system_title(made.number),
                                          over_radio ? radio_access(keys, concentrator_title, counters, 0)
                                                     : bench_access(keys, counters, 0),
                                          *meter, ciphers, random);
    }

    ClientConfig config(Sap client, bool over_radio) const {
        ClientConfig made;
        made.own_title = client == reading_client ? concentrator_title : head_end_title;
        made.server_title = system_title(customer_number(1));
        if (client == reading_client && !over_radio) {
            made.mechanism = Mechanism::low;
            made.password = keys.lls_password;
        } else if (client == reading_client) {
            made.ciphered = made.pre_established = true;
            made.keys = keys.reading;
        } else if (client == management_client) {
            made.mechanism = Mechanism::high_gmac;
            made.ciphered = true;
            made.keys = keys.management;
        }
        return made;
    }

    security::OpensslCiphers ciphers;
    security::SystemRandom random;
    AccessKeys keys{ClientKeys{key(1), key(2)}, ClientKeys{key(3), key(4)}, to_buffer(as_bytes("12345678"))};
    CounterFile counters, client_counters{2};
    Truth truth;
    Street street{5};
    std::unique_ptr<Meter> meter;
    std::unique_ptr<Server> server;
};

/// Carries APDUs between one client and the server; knows the largest answer it saw.
struct Talk {
    Talk(Bench& made, Sap as, bool over_radio)
        : bench(made),
          sap(as),
          client(made.config(as, over_radio), made.ciphers, made.random, made.client_counters.send(slot()),
                 made.client_counters.receive(slot())) {
        if (!over_radio || as == management_client) client.associate();
        pump();
    }
    std::size_t slot() const { return sap == management_client ? 0 : 1; }

    void pump() {
        while (auto request = client.take_output()) {
            std::optional<Buffer> answer;
            bench.server->handle(sap, *request, now, [&](Buffer apdu) { answer = std::move(apdu); });
            ++requests;
            if (!answer) return;
            largest = std::max(largest, answer->size());
            client.receive(*answer);
        }
    }
    std::optional<ReadOutcome> get(const AttributeId& id, const Selection& selection = {}) {
        client.get(id, selection);
        pump();
        std::optional<ReadOutcome> outcome;
        while (auto event = client.take_event())
            if (auto* read = std::get_if<ReadCompleted>(&*event)) outcome = std::move(read->outcome);
        return outcome;
    }

    Bench& bench;
    Sap sap;
    Client client;
    Instant now = monday + 30h;
    std::size_t largest = 0;
    int requests = 0;
};

RangeSelection quarter_hours(Instant from, int rows) {
    return {{8, obis::clock, 2, 0},
            date_time_octets({.at = from}),
            date_time_octets({.at = from + 15min * (rows - 1)}),
            {}};
}

constexpr AttributeId load_profile{7, obis::load_profile, 2};

}  // namespace

TEST_CASE("radio: one range read of up to six rows is one request and one answer of at most 200 octets",
          "[sim]") {
    Bench bench{true};
    Talk talk{bench, reading_client, true};
    const int wanted = GENERATE(1, 2, 3, 4, 5, 6);
    const auto outcome = talk.get(load_profile, quarter_hours(monday + 4h, wanted));
    REQUIRE(outcome);
    CHECK(std::get<Data>(*outcome).elements()->size() == static_cast<std::size_t>(wanted));
    CHECK(talk.requests == 1);
    CHECK(talk.largest <= radio_pdu_size_max);
    constexpr std::array<std::size_t, 7> answer_size{0, 63, 88, 113, 139, 164, 189};
    CHECK(talk.largest == answer_size[static_cast<std::size_t>(wanted)]);
}

TEST_CASE("radio: seven rows still come, in blocks of at most 200 octets", "[sim]") {
    Bench bench{true};
    Talk talk{bench, reading_client, true};
    const int wanted = GENERATE(7, 40);
    const auto outcome = talk.get(load_profile, quarter_hours(monday + 4h, wanted));
    REQUIRE(outcome);
    CHECK(std::get<Data>(*outcome).elements()->size() == static_cast<std::size_t>(wanted));
    CHECK(talk.requests > 1);
    CHECK(talk.largest <= radio_pdu_size_max);
}

TEST_CASE("truth: equals, row by row, what a ciphered read over radio decodes to", "[sim]") {
    Bench bench{true};
    Talk talk{bench, reading_client, true};
    std::size_t compared = 0;
    for (Instant from = monday + 15min; from + 75min <= talk.now; from += 90min) {
        const auto outcome = talk.get(load_profile, quarter_hours(from, 6));
        REQUIRE(outcome);
        const auto rows = dcu::interval_rows({obis::load_profile, std::get<Data>(*outcome)}, 15min);
        REQUIRE(rows);
        REQUIRE(rows->size() == 6);
        for (const auto& row : *rows) {
            const auto true_row = bench.truth.rows().find({customer_number(1), epoch_us(row.at) / 1'000'000});
            REQUIRE(true_row != bench.truth.rows().end());
            REQUIRE(row.channels == 4);
            for (std::size_t channel = 0; channel < 4; ++channel)
                CHECK(row.values[channel] == std::optional{true_row->second.channels[channel]});
            ++compared;
        }
    }
    CHECK(compared == 120);
    CHECK(bench.truth.rows().size() == 120);
}

TEST_CASE("radio: another title, another key and a replay get no answer", "[sim]") {
    Bench bench{true};
    ClientConfig config = bench.config(reading_client, true);
    SECTION("another concentrator's title") {
        config.own_title = system_title(*DeviceNumber::parse("900000000002"));
    }
    SECTION("another key") { config.keys = ClientKeys{key(9), key(4)}; }
    Client client{config, bench.ciphers, bench.random, bench.client_counters.send(1),
                  bench.client_counters.receive(1)};
    client.get(load_profile, quarter_hours(monday + 4h, 1));
    const auto request = client.take_output();
    REQUIRE(request);
    int answers = 0;
    const auto deliver = [&] {
        bench.server->handle(reading_client, *request, monday + 30h, [&](Buffer apdu) {
            answers += apdu.at(0) == 0xCC ? 1 : 0;  // glo-get-response
        });
    };
    deliver();
    if (config.own_title == concentrator_title &&
        to_hex(config.keys->encryption.reveal()) == to_hex(key(3).reveal())) {
        CHECK(answers == 1);
        deliver();
        CHECK(answers == 1);
        CHECK(bench.server->counters().replayed == 1);
        CHECK(bench.counters.accepted(reading_slot(0)) == 1);
    } else {
        CHECK(answers == 0);
        CHECK(bench.server->counters().not_authentic == 1);
    }
}

TEST_CASE("bench: each client reads what it may and nothing more", "[sim]") {
    Bench bench{false};
    Talk open{bench, public_client, false}, reading{bench, reading_client, false},
        management{bench, management_client, false};
    REQUIRE(open.client.associated());
    REQUIRE(reading.client.associated());
    REQUIRE(management.client.associated());

    CHECK(std::holds_alternative<Data>(*open.get({8, obis::clock, 2})));
    CHECK(open.get(load_profile) == ReadOutcome{AccessResult::read_write_denied});
    CHECK(std::get<Data>(*reading.get(load_profile)).elements()->size() == 120);
    CHECK(reading.get({70, obis::disconnect_control, 2}) == ReadOutcome{AccessResult::read_write_denied});
    CHECK(management.get({70, obis::disconnect_control, 2}) == ReadOutcome{Data{true}});

    const auto counter = open.get({1, ObisCode{{0, 0, 43, 1, 1, 255}}, 2});
    CHECK(std::get<Data>(*counter).integer() == bench.counters.accepted(management_slot(0)));
    CHECK(bench.counters.accepted(management_slot(0)) >= 2);
}

TEST_CASE("bench: a wrong password and a wrong key are refused", "[sim]") {
    Bench bench{false};
    ClientConfig config =
        GENERATE(true, false) ? bench.config(reading_client, false) : bench.config(management_client, false);
    if (config.keys) config.keys->authentication = key(7);
    config.password = to_buffer(as_bytes("87654321"));
    const Sap sap = config.keys ? management_client : reading_client;
    Client client{config, bench.ciphers, bench.random, bench.client_counters.send(1),
                  bench.client_counters.receive(1)};
    client.associate();
    while (const auto request = client.take_output())
        bench.server->handle(sap, *request, monday, [&](Buffer apdu) { client.receive(apdu); });
    CHECK_FALSE(client.associated());
    CHECK_FALSE(bench.server->associated(sap));
}

TEST_CASE("bench: over HDLC in memory, segmented, with LLS and with HLS", "[sim]") {
    Bench bench{false};
    const Sap sap = GENERATE(public_client, reading_client, management_client);
    CAPTURE(sap.value);
    const auto client_link = [&] {
        link::HdlcLink::Config config;
        config.own.upper = sap.value;
        config.peer.upper = management_logical_device.value;
        return config;
    };
    const auto server_link = [] {
        link::HdlcLink::Config config;
        config.role = link::HdlcLink::Role::server;
        config.own.upper = management_logical_device.value;
        return config;
    };
    link::HdlcLink near{client_link()}, far{server_link()};
    Client client{bench.config(sap, false), bench.ciphers, bench.random, bench.client_counters.send(1),
                  bench.client_counters.receive(1)};
    client.associate();
    const AttributeId wanted =
        sap == public_client ? AttributeId{15, obis::current_association, 2} : load_profile;
    bool asked = false;
    std::optional<ReadOutcome> outcome;
    int frames = 0;
    near.open();
    for (int turn = 0; turn < 2'000 && !outcome; ++turn) {
        if (near.state() == link::HdlcLink::State::open)
            if (auto request = client.take_output()) near.send_apdu(*request);
        while (auto octets = near.take_output()) far.feed(*octets), ++frames;
        while (auto request = far.take_apdu())
            bench.server->handle(Sap{far.peer().upper}, *request, monday + 30h,
                                 [&](Buffer apdu) { far.send_apdu(apdu); });
        while (auto octets = far.take_output()) near.feed(*octets), ++frames;
        while (auto apdu = near.take_apdu()) client.receive(*apdu);
        if (client.associated() && !asked) client.get(wanted), asked = true;
        while (auto event = client.take_event())
            if (auto* read = std::get_if<ReadCompleted>(&*event)) outcome = std::move(read->outcome);
    }
    REQUIRE(outcome);
    REQUIRE(std::holds_alternative<Data>(*outcome));
    CHECK(std::get<Data>(*outcome).elements()->size() >= 5);
    CHECK(frames >= 8);
}
