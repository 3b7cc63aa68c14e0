#include "protocol/dlms/counter_recovery.h"

#include <catch2/catch.hpp>

#include "tests/protocol/dlms/fakes.h"
#include "tests/protocol/dlms/vectors.h"

using namespace wattmesh;
using namespace wattmesh::dlms;
using namespace wattmesh::dlms::test;

namespace {

/// A meter with a management client and the public one, which shows the counters.
struct Meter {
    Meter() {
        ClientAccess management;
        management.client = management_client;
        management.mechanism = Mechanism::high_gmac;
        management.ciphered = true;
        management.keys = vector_keys();
        management.send = &send;
        management.receive = &receive;
        ClientAccess everybody;
        everybody.client = public_client;
        server = std::make_unique<Server>(server_title, std::vector{management, everybody}, model, ciphers,
                                          random);
    }
    security::OpensslCiphers ciphers;
    SeededRandom random{2};
    MemoryCounter send, receive;
    TableModel model;
    std::unique_ptr<Server> server;
};

struct HeadEnd {
    HeadEnd() {
        config.mechanism = Mechanism::high_gmac;
        config.ciphered = true;
        config.keys = vector_keys();
        config.own_title = client_title;
    }
    /// The event that ends an association attempt.
    ClientEvent attempt(Meter& meter) {
        Client client{config, meter.ciphers, random, send, receive};
        client.associate();
        carry(meter, management_client, client);
        client.abort();  // a meter may fall silent
        const auto event = client.take_event();
        REQUIRE(event);
        return *event;
    }
    template <class Talker>
    void carry(Meter& meter, Sap sap, Talker& talker) {
        while (const auto request = talker.take_output())
            meter.server->handle(sap, *request, now, [&](Buffer answer) { talker.receive(answer); });
    }
    ClientConfig config;
    SeededRandom random{1};
    MemoryCounter send{10}, receive;
};

const AttributeId counter_object = invocation_counter_of(management_client);

}  // namespace

TEST_CASE("counter recovery: asks the public client once, raises, and the second attempt succeeds",
          "[dlms]") {
    CHECK(counter_object.object == ObisCode{{0, 0, 43, 1, 1, 255}});
    Meter meter;
    meter.receive.accept(70'000);
    meter.model.put(counter_object, std::uint32_t{70'000});
    HeadEnd head_end;
    CounterRecovery recovery{management_client, head_end.send, meter.ciphers, head_end.random};
    const auto refusal = head_end.attempt(meter);
    REQUIRE(recovery.consider(refusal) == CounterRecovery::Advice::recover);
    recovery.begin();
    head_end.carry(meter, public_client, recovery);
    const auto event = recovery.take_event();
    REQUIRE(event);
    const auto* raised = std::get_if<CounterRaised>(&*event);
    REQUIRE(raised);
    CHECK(raised->accepted == 70'000);
    CHECK(raised->next == 70'001);
    CHECK_FALSE(recovery.take_event());
    CHECK(std::holds_alternative<Associated>(head_end.attempt(meter)));
    CHECK_FALSE(meter.server->associated(public_client));  // released
}

TEST_CASE("counter recovery: a second refusal is not about the counter", "[dlms]") {
    Meter meter;
    meter.model.put(counter_object, std::uint32_t{3});
    HeadEnd head_end;
    head_end.config.keys->authentication = Key128{};
    CounterRecovery recovery{management_client, head_end.send, meter.ciphers, head_end.random};
    REQUIRE(recovery.consider(head_end.attempt(meter)) == CounterRecovery::Advice::recover);
    recovery.begin();
    head_end.carry(meter, public_client, recovery);
    REQUIRE(recovery.take_event());
    CHECK(*head_end.send.next() > 10U);  // never downwards
    CHECK(recovery.consider(head_end.attempt(meter)) == CounterRecovery::Advice::refused_again);
    recovery.begin();  // only once
    CHECK_FALSE(recovery.take_output());
}

TEST_CASE("counter recovery: what a meter may answer instead of a number", "[dlms]") {
    using Why = CounterRecoveryFailed::Why;
    struct Row {
        const char* why;
        std::optional<Data> value;
        Why expected;
    };
    const auto row = GENERATE(values<Row>({
        {"no such object", std::nullopt, Why::refused},
        {"text", Data{OctetString{{1}}}, Why::no_number},
        {"negative", Data{std::int32_t{-1}}, Why::no_number},
        {"at the end", Data{std::uint32_t{0xFFFFFFFF}}, Why::too_high},
        {"near the end", Data{std::uint32_t{0xF0000000}}, Why::too_high},
        {"beyond 32 bits", Data{std::uint64_t{1} << 40}, Why::too_high},
    }));
    DYNAMIC_SECTION(row.why) {
        Meter meter;
        if (row.value) meter.model.put(counter_object, *row.value);
        HeadEnd head_end;
        CounterRecovery recovery{management_client, head_end.send, meter.ciphers, head_end.random};
        recovery.begin();
        head_end.carry(meter, public_client, recovery);
        const auto event = recovery.take_event();
        REQUIRE(event);
        const auto* failed = std::get_if<CounterRecoveryFailed>(&*event);
        REQUIRE(failed);
        CHECK(to_string(failed->why) == to_string(row.expected));
        CHECK(head_end.send.next() == 10U);
    }
}

TEST_CASE("counter recovery: silence ends it", "[dlms]") {
    Meter meter;
    HeadEnd head_end;
    CounterRecovery recovery{management_client, head_end.send, meter.ciphers, head_end.random};
    recovery.abort();
    CHECK_FALSE(recovery.take_event());  // nothing was begun
    recovery.begin();
    REQUIRE(recovery.take_output());
    recovery.abort();
    const auto event = recovery.take_event();
    REQUIRE(event);
    CHECK(std::get<CounterRecoveryFailed>(*event).why == CounterRecoveryFailed::Why::no_answer);
    CHECK_FALSE(recovery.take_event());
}

TEST_CASE("counter recovery: only what may come from a counter leads to one", "[dlms]") {
    using Advice = CounterRecovery::Advice;
    security::OpensslCiphers ciphers;
    SeededRandom random{1};
    MemoryCounter send;
    const CounterRecovery recovery{management_client, send, ciphers, random};
    const auto advice = [&](const ClientEvent& event) { return recovery.consider(event); };
    CHECK(advice(AssociationRefused{2, 13}) == Advice::recover);
    CHECK(advice(AssociationRefused{1, 13}) == Advice::recover);
    CHECK(advice(AssociationRefused{2, 1}) == Advice::recover);
    CHECK(advice(AssociationRefused{1, 1}) == Advice::recover);
    CHECK(advice(AssociationRefused{1, 2}) == Advice::unrelated);
    CHECK(advice(AssociationRefused{1, 11}) == Advice::unrelated);
    CHECK(advice(AssociationRefused{0, 14, true}) == Advice::unrelated);
    CHECK(advice(AssociationRefused{0, 0, false, true}) == Advice::unrelated);
    CHECK(advice(RequestFailed{{}, {Fault::truncated, 0}, {}, true}) == Advice::recover);
    CHECK(advice(RequestFailed{{}, {Fault::refused, 0}, {}, true, 77}) == Advice::recover);
    CHECK(advice(RequestFailed{RequestId{1}, {Fault::truncated, 0}, {}, true}) == Advice::unrelated);
    CHECK(advice(RequestFailed{{}, {Fault::bad_tag, 0}, {}, true}) == Advice::unrelated);
    CHECK(advice(Associated{}) == Advice::unrelated);
    CHECK(advice(Released{}) == Advice::unrelated);
}
