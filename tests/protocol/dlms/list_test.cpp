#include <catch2/catch.hpp>

#include "tests/protocol/dlms/fakes.h"

using namespace wattmesh;
using namespace wattmesh::dlms;
using namespace wattmesh::dlms::test;

namespace {

ClientConfig config_of(bool ciphered) {
    ClientConfig config;
    config.ciphered = ciphered;
    config.mechanism = ciphered ? Mechanism::high_gmac : Mechanism::none;
    config.keys = vector_keys();
    config.own_title = client_title;
    config.server_title = server_title;
    return config;
}
ClientAccess access_of(std::uint16_t pdu_size, bool ciphered) {
    ClientAccess access;
    access.client = management_client;
    access.ciphered = ciphered;
    access.mechanism = ciphered ? Mechanism::high_gmac : Mechanism::none;
    access.keys = vector_keys();
    access.pdu_size_max = pdu_size;
    return access;
}

/// Associated, with a server that sends and takes `pdu_size` octets at most, plain or ciphered.
struct AssociatedPair : Pair {
    explicit AssociatedPair(std::uint16_t pdu_size, bool ciphered = false)
        : Pair(config_of(ciphered), access_of(pdu_size, ciphered)) {
        client.associate();
        run();
        REQUIRE(client.associated());
        events();
        requests.clear();
        answers.clear();
    }
};

constexpr ObisCode nothing{{9, 9, 9, 9, 9, 9}};
Data text(std::size_t size) { return OctetString{Buffer(size, 0x55)}; }

}  // namespace

TEST_CASE("with-list: GET answers each element, refusals included", "[dlms]") {
    const bool ciphered = GENERATE(false, true);
    const auto pdu_size = GENERATE(as<std::uint16_t>{}, 96, 200, 0xFFFF);
    AssociatedPair pair(pdu_size, ciphered);
    pair.model.put(import_total, std::uint32_t{5009});
    pair.model.put(clock_time, text(300));
    pair.client.get_list({{.id = import_total, .selection = {}},
                          {.id = {1, nothing, 2}, .selection = {}},
                          {.id = clock_time, .selection = {}}});
    pair.run();
    const auto events = pair.events();
    REQUIRE(events.size() == 1);
    CHECK(std::get<ListRead>(events[0]).outcomes ==
          std::vector<ReadOutcome>{Data{std::uint32_t{5009}}, AccessResult::object_undefined, text(300)});
    for (const Buffer& answer : pair.answers) CHECK(answer.size() <= pdu_size);
}

TEST_CASE("with-list: SET writes each element, in blocks where it is long", "[dlms]") {
    const auto pdu_size = GENERATE(as<std::uint16_t>{}, 96, 200, 0xFFFF);
    AssociatedPair pair(pdu_size, GENERATE(false, true));
    pair.client.set_list({clock_time, import_total}, {text(500), std::uint32_t{7}});
    pair.run();
    CHECK(std::get<ListWritten>(pair.events().at(0)).results ==
          std::vector{AccessResult::success, AccessResult::success});
    CHECK(pair.model.at(clock_time) == text(500));
    CHECK(pair.model.at(import_total) == Data{std::uint32_t{7}});
    for (const Buffer& request : pair.requests) CHECK(request.size() <= pdu_size);
}

TEST_CASE("with-list: ACTION calls each method, parameters in blocks where they are long", "[dlms]") {
    const auto pdu_size = GENERATE(as<std::uint16_t>{}, 96, 0xFFFF);
    AssociatedPair pair(pdu_size, GENERATE(false, true));
    pair.client.act_list({{70, obis::disconnect_control, 1}, {18, nothing, 2}}, {std::int8_t{0}, text(400)});
    pair.run();
    const auto events = pair.events();
    const auto& outcomes = std::get<ListActed>(events.at(0)).outcomes;
    CHECK(outcomes == std::vector<ActionOutcome>(2, {AccessResult::success, Data{std::uint8_t{42}}}));
    CHECK(pair.model.argument == text(400));
    for (const Buffer& request : pair.requests) CHECK(request.size() <= pdu_size);
}

TEST_CASE("ACTION: long parameters and long return parameters travel in blocks", "[dlms]") {
    const auto pdu_size = GENERATE(as<std::uint16_t>{}, 64, 200, 0xFFFF);
    AssociatedPair pair(pdu_size, GENERATE(false, true));
    pair.model.returned = text(700);
    pair.client.act({18, nothing, 2}, text(900));
    pair.run();
    const auto events = pair.events();
    CHECK(std::get<ActionCompleted>(events.at(0)).outcome == ActionOutcome{AccessResult::success, text(700)});
    CHECK(pair.model.argument == text(900));
    for (const Buffer& apdu : pair.requests) CHECK(apdu.size() <= pdu_size);
    for (const Buffer& apdu : pair.answers) CHECK(apdu.size() <= pdu_size);
}

TEST_CASE("with-list: a model that answers later is asked one element at a time", "[dlms]") {
    AssociatedPair pair(0xFFFF);
    pair.model.put(import_total, std::uint32_t{1});
    pair.model.later = true;
    pair.client.get_list({{.id = import_total, .selection = {}}, {.id = import_total, .selection = {}}});
    pair.run();
    CHECK(pair.model.calls == 1);
    pair.model.answer();
    CHECK(pair.model.calls == 2);
    CHECK(pair.events().empty());
    pair.model.answer();
    CHECK(std::get<ListRead>(pair.events().at(0)).outcomes.size() == 2);
}

TEST_CASE("with-list: nothing more is asked for an association that has gone", "[dlms]") {
    AssociatedPair pair(0xFFFF);
    pair.model.later = true;
    pair.client.get_list({{.id = import_total, .selection = {}}, {.id = import_total, .selection = {}}});
    pair.run();
    pair.server.disconnect(pair.sap);
    pair.model.answer();
    CHECK(pair.model.calls == 1);
    CHECK(pair.events().empty());
}

TEST_CASE("get_octets: the encoded value comes undecoded, whole or in blocks", "[dlms]") {
    const auto pdu_size = GENERATE(as<std::uint16_t>{}, 64, 0xFFFF);
    AssociatedPair pair(pdu_size, GENERATE(false, true));
    pair.model.put(profile_buffer, text(300));
    pair.client.get_octets(profile_buffer);
    pair.client.get_octets({1, nothing, 2});
    pair.run();
    const auto events = pair.events();
    REQUIRE(events.size() == 2);
    CHECK(std::get<OctetsRead>(events[0]).octets == encode_data(text(300)));
    CHECK(std::get<ReadCompleted>(events[1]).outcome == ReadOutcome{AccessResult::object_undefined});
}
