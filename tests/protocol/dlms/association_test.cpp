#include <catch2/catch.hpp>

#include "tests/protocol/dlms/fakes.h"
#include "tests/protocol/dlms/vectors.h"

using namespace wattmesh;
using namespace wattmesh::dlms;
using namespace wattmesh::dlms::test;

namespace {

const Buffer password{0x31, 0x32, 0x33, 0x34, 0x35, 0x36, 0x37, 0x38};

ClientConfig config(Mechanism mechanism, bool ciphered, bool pre_established = false) {
    ClientConfig settings;
    settings.mechanism = mechanism;
    if (mechanism == Mechanism::low) settings.password = password;
    settings.ciphered = ciphered;
    settings.pre_established = pre_established;
    settings.keys = vector_keys();
    settings.own_title = client_title;
    settings.server_title = server_title;
    return settings;
}

ClientAccess access(Mechanism mechanism, bool ciphered, bool pre_established = false) {
    ClientAccess given;
    given.client = management_client;
    given.mechanism = mechanism;
    given.password = password;
    given.ciphered = ciphered;
    given.pre_established = pre_established;
    given.keys = vector_keys();
    given.client_title = client_title;
    return given;
}

/// The only event of its kind among `events`.
template <class T>
std::optional<T> only(const std::vector<ClientEvent>& events) {
    std::optional<T> found;
    for (const auto& event : events)
        if (const auto* match = std::get_if<T>(&event)) {
            REQUIRE_FALSE(found);
            found = *match;
        }
    return found;
}

}  // namespace

TEST_CASE("association: client and server agree by every mechanism and then read, write and act", "[dlms]") {
    struct Row {
        const char* why;
        Mechanism mechanism;
        bool ciphered, pre_established;
        int apdus;  ///< the client sends until it is associated
    };
    const auto row = GENERATE(values<Row>({
        {"none, plain", Mechanism::none, false, false, 1},
        {"none, ciphered", Mechanism::none, true, false, 1},
        {"LLS, plain", Mechanism::low, false, false, 1},
        {"LLS, ciphered", Mechanism::low, true, false, 1},
        {"HLS-GMAC, plain", Mechanism::high_gmac, false, false, 2},
        {"HLS-GMAC, ciphered", Mechanism::high_gmac, true, false, 2},
        {"pre-established, plain", Mechanism::none, false, true, 0},
        {"pre-established, ciphered", Mechanism::none, true, true, 0},
    }));
    DYNAMIC_SECTION(row.why) {
        Pair pair{config(row.mechanism, row.ciphered, row.pre_established),
                  access(row.mechanism, row.ciphered, row.pre_established)};
        pair.model.put(import_total, std::uint32_t{5009});
        pair.client.associate();
        CHECK(pair.run() == row.apdus);
        CHECK(pair.client.associated());
        CHECK(pair.server.associated(management_client));
        CHECK(only<Associated>(pair.events()).has_value() == !row.pre_established);

        const RequestId read = pair.client.get(import_total);
        const RequestId write = pair.client.set(clock_time, octet_string(obis::clock));
        const RequestId action = pair.client.act({70, obis::disconnect_control, 1}, Data{std::int8_t{0}});
        CHECK(pair.client.busy());
        pair.run();
        CHECK_FALSE(pair.client.busy());
        const auto events = pair.events();
        REQUIRE(events.size() == 3);
        CHECK(only<ReadCompleted>(events)->request == read);
        CHECK(only<ReadCompleted>(events)->outcome == ReadOutcome{Data{std::uint32_t{5009}}});
        CHECK(only<WriteCompleted>(events)->request == write);
        CHECK(only<WriteCompleted>(events)->result == AccessResult::success);
        CHECK(only<ActionCompleted>(events)->request == action);
        CHECK(only<ActionCompleted>(events)->outcome ==
              ActionOutcome{AccessResult::success, Data{std::uint8_t{42}}});
        CHECK(pair.model.at(clock_time) == octet_string(obis::clock));
        CHECK(pair.model.argument == Data{std::int8_t{0}});

        for (const auto& request : pair.requests) {
            const bool plain = request[0] == 0x60 || (request[0] >= 0xC0 && request[0] <= 0xC3);
            CHECK(plain == (!row.ciphered || request[0] == 0x60));
        }
    }
}

TEST_CASE("association: a pre-established one takes whoever has the keys under the title that it names",
          "[dlms]") {
    const bool named = GENERATE(true, false);
    auto neighbour = config(Mechanism::none, true, true);
    neighbour.own_title.octets.back() ^= 1;
    neighbour.security.framing = Framing::general;
    auto given = access(Mechanism::none, true, true);
    given.named_titles = named;
    Pair pair{neighbour, given};
    pair.model.put(import_total, std::uint32_t{5009});
    pair.client.associate();
    pair.client.get(import_total);
    pair.run();
    CHECK(only<ReadCompleted>(pair.events()).has_value() == named);
    CHECK((pair.server.counters().not_authentic == 0) == named);

    // The one it was made for names no title, before as after.
    Client home{config(Mechanism::none, true, true), pair.ciphers, pair.client_random, pair.client_send,
                pair.client_receive};
    home.associate();
    home.get(import_total);
    while (auto apdu = home.take_output())
        pair.server.handle(pair.sap, *apdu, now, [&](const Buffer& answer) { home.receive(answer); });
    bool read = false;
    while (auto event = home.take_event()) read = read || std::holds_alternative<ReadCompleted>(*event);
    CHECK(read);
}

TEST_CASE("association: a release ends it, except one that is pre-established", "[dlms]") {
    const bool pre_established = GENERATE(false, true);
    Pair pair{config(Mechanism::none, true, pre_established), access(Mechanism::none, true, pre_established)};
    pair.client.associate();
    pair.run();
    pair.events();
    pair.client.release();
    pair.run();
    CHECK(only<Released>(pair.events()));
    CHECK(pair.client.associated() == pre_established);
    CHECK(pair.server.associated(management_client) == pre_established);
}

TEST_CASE("association: a second one follows the first with higher counters", "[dlms]") {
    Pair pair{config(Mechanism::high_gmac, true), access(Mechanism::high_gmac, true)};
    for (int round = 0; round < 3; ++round) {
        pair.client.associate();
        pair.run();
        CHECK(only<Associated>(pair.events()));
        pair.client.abort();
        pair.events();
        pair.server.disconnect(management_client);
        CHECK_FALSE(pair.server.associated(management_client));
    }
    CHECK(pair.server.counters().replayed == 0);
}

TEST_CASE("association: the server says why it refuses", "[dlms]") {
    struct Row {
        const char* why;
        std::function<void(ClientConfig&)> wrong;
        Mechanism mechanism;
        bool ciphered;
        std::uint8_t result, diagnostic;  // Green Book ed. 10, 9.4.2.2.3
    };
    const auto row = GENERATE(values<Row>({
        {"wrong password", [](ClientConfig& c) { c.password.back() ^= 1; }, Mechanism::low, false, 1, 13},
        {"password cut short", [](ClientConfig& c) { c.password.pop_back(); }, Mechanism::low, false, 1, 13},
        {"no mechanism", [](ClientConfig& c) { c.mechanism = Mechanism::none; }, Mechanism::low, false, 1,
         12},
        {"LLS instead of HLS", [](ClientConfig& c) { c.mechanism = Mechanism::low; }, Mechanism::high_gmac,
         true, 1, 11},
        {"plain instead of ciphered", [](ClientConfig& c) { c.ciphered = false; }, Mechanism::high_gmac, true,
         1, 2},
        {"ciphered instead of plain", [](ClientConfig& c) { c.ciphered = true; }, Mechanism::low, false, 1,
         2},
        {"another system title", [](ClientConfig& c) { c.own_title.octets[7] = 9; }, Mechanism::none, true, 1,
         13},
        {"another encryption key", [](ClientConfig& c) { c.keys->encryption = Key128{}; },
         Mechanism::high_gmac, true, 1, 13},
        {"another authentication key", [](ClientConfig& c) { c.keys->authentication = Key128{}; },
         Mechanism::high_gmac, true, 1, 13},
    }));
    DYNAMIC_SECTION(row.why) {
        auto settings = config(row.mechanism, row.ciphered);
        row.wrong(settings);
        if (settings.mechanism == Mechanism::low && settings.password.empty()) settings.password = password;
        Pair pair{settings, access(row.mechanism, row.ciphered)};
        const RequestId waiting = pair.client.get(import_total);
        pair.client.associate();
        pair.run();
        const auto events = pair.events();
        const auto refused = only<AssociationRefused>(events);
        REQUIRE(refused);
        CHECK(refused->result == row.result);
        CHECK(refused->diagnostic == row.diagnostic);
        CHECK(only<RequestFailed>(events)->request == waiting);
        CHECK_FALSE(pair.client.associated());
        CHECK_FALSE(pair.server.associated(management_client));
        CHECK(pair.server.counters().refused_associations == 1);
        CHECK(pair.model.calls == 0);
    }
}

TEST_CASE("association: a wrong proof in plain HLS is refused and the model sees nothing", "[dlms]") {
    auto settings = config(Mechanism::high_gmac, false);
    settings.keys->authentication = Key128{};
    Pair pair{settings, access(Mechanism::high_gmac, false)};
    pair.client.associate();
    CHECK(pair.run() == 2);
    const auto refused = only<AssociationRefused>(pair.events());
    REQUIRE(refused);
    CHECK(refused->diagnostic == 13);
    CHECK_FALSE(pair.server.associated(management_client));
    CHECK(pair.server.counters().not_authentic == 1);
}

TEST_CASE("association: an AARQ with a used counter is refused for now, not for good", "[dlms]") {
    Pair pair{config(Mechanism::none, true), access(Mechanism::none, true)};
    pair.server_receive.accept(1'000);
    pair.client.associate();
    pair.run();
    const auto refused = only<AssociationRefused>(pair.events());
    REQUIRE(refused);
    CHECK(refused->result == 2);
    CHECK(pair.server.counters().replayed == 1);
}

TEST_CASE("association: a refused AARQ does not end the one that stands", "[dlms]") {
    Pair pair{config(Mechanism::low, false), access(Mechanism::low, false)};
    pair.client.associate();
    pair.run();
    pair.server.handle(management_client, test::vector("AARQ-1"), now, [](Buffer) {});
    CHECK(pair.server.associated(management_client));
    CHECK(pair.server.counters().refused_associations == 1);
}
