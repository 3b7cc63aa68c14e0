// Pushes end to end: a simulated meter, real sockets, and what `terminal-sim listen` makes of them.
#include <catch2/catch.hpp>

#include "protocol/decode/describe.h"
#include "terminal-sim/tool/meter_session.h"
#include "tests/terminal-sim/tool/listener_thread.h"
#include "tests/terminal-sim/tool/meter_thread.h"

using namespace wattmesh;
using namespace wattmesh::sim;

namespace {

MeterSession::Who management() { return {management_client, {}, dlms::ClientKeys{key(1), key(2)}}; }

decode::Form form_of(PushLink link) {
    return link == PushLink::hdlc   ? decode::Form::hdlc
           : link == PushLink::mbus ? decode::Form::mbus
                                    : decode::Form::wrapper;
}

constexpr ObisCode push_name{{0, 0, 25, 9, 0, 255}};

}  // namespace

TEST_CASE("push: plain and ciphered, whole and in general blocks, over every link, to a listener", "[sim]") {
    using namespace cosem::push_setup;
    const auto link = GENERATE(PushLink::wrapper, PushLink::udp, PushLink::hdlc, PushLink::mbus);
    const bool ciphered = GENERATE(false, true), blocks = GENERATE(false, true);
    CAPTURE(to_string(link), ciphered, blocks);
    ListenerThread listener{link};
    MeterThread::Special special;
    special.push_destination = {service_of(link), to_buffer(as_bytes(listener.address())), {}};
    special.security_policy = ciphered ? 0x6C : 0;
    special.push_pdu_size_max = blocks ? 300 : 0xFFFF;
    const MeterThread meter{LinkKind::wrapper, {}, special};
    BenchCall call{meter.address(), LinkKind::wrapper, management_logical_device, 20s};
    MeterSession session{call, management()};
    const auto twenty = dlms::structure({dlms::Data{std::uint16_t{1}}, dlms::Data{std::uint16_t{20}}});
    REQUIRE(
        session.set({40, push_name, 2},
                    push_object_list_1.write(
                        {PushObject{1, obis::logical_device_name, 2, 0, {}},
                         PushObject{7, obis::load_profile, 2, 0, {RestrictionType::by_entry, twenty}}})) ==
        dlms::AccessResult::success);
    for (int twice = 0; twice < 2; ++twice) {  // the second one finds nothing left of the first
        REQUIRE(session.act({40, push_name, 1}, dlms::Data{std::int8_t{0}}).result ==
                dlms::AccessResult::success);
        const auto taken = listener.take();
        REQUIRE(taken);
        CHECK(taken->complete);
        security::OpensslCiphers ciphers;
        decode::Keyring keyring;
        keyring.ciphers = &ciphers;
        if (ciphered) {
            keyring.encryption = key(1);
            keyring.authentication = key(2);
        }
        const auto report = decode::describe(taken->octets, {.form = form_of(link), .all = true}, keyring);
        CAPTURE(report.text());
        CHECK(report.whole());
        CHECK_THAT(report.text(), Catch::Contains("data-notification"));
        CHECK_THAT(report.text(), Catch::Contains("WMT540000000042"));
        CHECK_THAT(report.text(), Catch::Contains("array of 20"));
        CHECK((report.text().find("general-glo") != std::string::npos) == ciphered);
        CHECK((report.text().find("general-block-transfer") != std::string::npos) == blocks);
        if (!ciphered) continue;
        keyring.authentication = key(3);
        CHECK_FALSE(decode::describe(taken->octets, {.form = form_of(link)}, keyring).whole());
    }
    session.release();
}

TEST_CASE("push: behind a gateway each frame says whose it is, and blocks are joined all the same", "[sim]") {
    using namespace cosem::push_setup;
    const auto link = GENERATE(PushLink::wrapper, PushLink::udp, PushLink::hdlc);
    const bool blocks = GENERATE(false, true);
    CAPTURE(to_string(link), blocks);
    ListenerThread listener{link};
    MeterThread::Special special;
    special.push_destination = {service_of(link), to_buffer(as_bytes(listener.address())), {}};
    special.push_pdu_size_max = blocks ? 48 : 0xFFFF;
    BenchLimits limits;
    BenchLine line;
    limits.gateway = line.gateway = gateway_address("3:540000000042");
    REQUIRE(limits.gateway);
    const MeterThread meter{LinkKind::wrapper, limits, special};
    BenchCall call{meter.address(), LinkKind::wrapper, management_logical_device, 20s, line};
    MeterSession session{call, management()};
    REQUIRE(session.act({40, push_name, 1}, dlms::Data{std::int8_t{0}}).result ==
            dlms::AccessResult::success);
    session.release();
    const auto taken = listener.take();
    REQUIRE(taken);
    CHECK(taken->complete);
    security::OpensslCiphers ciphers;
    decode::Keyring keyring;
    keyring.ciphers = &ciphers;
    keyring.encryption = key(1);
    keyring.authentication = key(2);
    const auto report = decode::describe(taken->octets, {.form = form_of(link), .all = true}, keyring);
    CAPTURE(report.text());
    CHECK(report.whole());
    CHECK_THAT(report.text(), Catch::Contains("gateway response, network 3") &&
                                  Catch::Contains("540000000042") && Catch::Contains("data-notification"));
    CHECK((report.text().find("general-block-transfer") != std::string::npos) == blocks);
}

TEST_CASE("push assembly: a set of blocks with a hole is handed out as incomplete, the next one whole",
          "[sim]") {
    const auto frames = push_frames({.link = PushLink::wrapper, .pdu_size_max = 100}, Buffer(250, 7));
    REQUIRE(frames.size() == 3);
    PushAssembly assembly{PushLink::wrapper};
    const auto feed = [&](std::initializer_list<std::size_t> which) {
        std::vector<PushAssembly::Push> all;
        for (const auto i : which)
            for (const std::uint8_t octet : frames[i])  // octet by octet
                for (auto& push : assembly.feed(Bytes{&octet, 1}, Instant{})) all.push_back(std::move(push));
        return all;
    };
    const auto missing = feed({0, 2});
    REQUIRE(missing.size() == 1);
    CHECK_FALSE(missing[0].complete);
    const auto headless = feed({1, 2});
    REQUIRE(headless.size() == 1);
    CHECK_FALSE(headless[0].complete);
    CHECK(feed({0}).empty());
    const auto again = feed({0, 1, 2});  // the first set ends where the second begins
    REQUIRE(again.size() == 2);
    CHECK_FALSE(again[0].complete);
    CHECK(again[0].octets == frames[0]);
    CHECK(again[1].complete);
    CHECK(assembly.end().empty());
}
