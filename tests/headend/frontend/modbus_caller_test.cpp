// Buses behind DTUs and gateways. Frames: uplink fact sheet 5.1, confirmed there by mbpoll.
#include "protocol/modbus/rtu.h"
#include "tests/headend/frontend/caller_world.h"

namespace wattmesh::headend::frontend {
namespace {

using namespace std::chrono_literals;

const DeviceNumber dtu = DeviceNumber::parse("540000000001").value();
const char* const registration = "57 4D 2D 52 45 47 3A 35 34 30 30 30 30 30 30 30 30 30 31 0D 0A";
const char* const ping = "57 4D 2D 50 49 4E 47";  // "WM-PING"
const char* const request_pdu = "03 0B B7 00 06";
const char* const request_frame = "01030BB7000677CA";
const char* const answer_frame = "01 03 0C 41 48 00 00 41 54 00 00 41 3C 00 00 14 24";
const char* const answer_pdu =
    "030C41480000415400"
    "00413C0000";

struct Bus : CallerSite {
    Bus() { bus_port = {"dtu", {&usr}, false, link::Carried::modbus_rtu}; }
    void register_dtu() {
        link = call(bus_port);
        say(link, registration);
        settle();
        REQUIRE(phase(link) == Phase::ready);
    }
    void ask(const char* pdu = request_pdu, std::uint16_t unit = 1) {
        core.carry(dtu, Sap{unit}, from_hex(pdu).value(),
                   [this](const RelayOutcome& outcome) { outcomes.push_back(outcome); });
        perform(core.take_actions());
    }
    CallerPort bus_port;
    CallerPort dialled{
        .name = "dialled", .profiles = {}, .sniff = false, .carries = link::Carried::modbus_tcp};
    LinkId link{};
    std::vector<RelayOutcome> outcomes;
};

Buffer joined(std::initializer_list<Buffer> parts) {
    Buffer all;
    for (const auto& part : parts) all.insert(all.end(), part.begin(), part.end());
    return all;
}
Buffer hex(const char* text) { return from_hex(text).value(); }

}  // namespace

TEST_CASE("bus: a DTU registers and is asked like on a wire", "[frontend]") {
    Bus bus;
    bus.register_dtu();
    CHECK(bus.take(bus.link).empty());  // this make hears no answer to its registration
    bus.ask();
    CHECK(bus.take(bus.link) == request_frame);
    bus.say(bus.link, answer_frame);
    REQUIRE(bus.outcomes.size() == 1);
    CHECK(bus.outcomes[0].status == RelayStatus::answered);
    CHECK(to_hex(bus.outcomes[0].apdu) == answer_pdu);
}

TEST_CASE("bus: a heartbeat or registration at any position of an answer is taken out", "[frontend]") {
    const Buffer answer = hex(answer_frame);
    for (const char* hello : {ping, registration})
        for (std::size_t at = 0; at <= answer.size(); ++at)
            for (const bool in_pieces : {false, true}) {
                CAPTURE(hello, at, in_pieces);
                Bus bus;
                bus.register_dtu();
                bus.ask();
                const Buffer front{answer.begin(), answer.begin() + static_cast<std::ptrdiff_t>(at)},
                    back{answer.begin() + static_cast<std::ptrdiff_t>(at), answer.end()};
                const Buffer all = joined({front, hex(hello), back});
                if (in_pieces)
                    for (const auto octet : all) bus.say(bus.link, Bytes{&octet, 1});
                else
                    bus.say(bus.link, all);
                REQUIRE(bus.outcomes.size() == 1);
                CHECK(to_hex(bus.outcomes[0].apdu) == answer_pdu);
                CHECK(bus.phase(bus.link) == Phase::ready);
                CHECK(bus.core.sessions().front().counters.beats +
                          bus.core.sessions().front().counters.logins ==
                      2);
            }
}

TEST_CASE("bus: what is damaged is no answer, and noise does not end a session", "[frontend]") {
    Bus bus;
    bus.register_dtu();
    bus.ask();
    Buffer wrong = hex(answer_frame);
    wrong[5] ^= 1;
    bus.say(bus.link, wrong);
    bus.say(bus.link, "00 FF 57 4D 2D 50");  // noise, and the beginning of a heartbeat that never ends
    CHECK(bus.outcomes.empty());
    bus.pass(6s);
    REQUIRE(bus.outcomes.size() == 1);
    CHECK(bus.outcomes[0].status == RelayStatus::timed_out);
    bus.pass(20s);
    CHECK(bus.phase(bus.link) == Phase::ready);
    bus.ask();
    bus.say(bus.link, answer_frame);
    CHECK(bus.outcomes.back().status == RelayStatus::answered);
}

TEST_CASE("bus: a late answer is not taken for the next unit's", "[frontend]") {
    Bus bus;
    bus.register_dtu();
    bus.ask();
    bus.pass(6s);
    CHECK(bus.outcomes.at(0).status == RelayStatus::timed_out);
    bus.say(bus.link, answer_frame);
    CHECK(bus.outcomes.size() == 1);
    CHECK(bus.core.sessions().front().late_answers == 1);
    bus.take(bus.link);
    bus.ask(request_pdu, 2);
    CHECK(bus.take(bus.link).substr(0, 4) == "0203");
    bus.say(bus.link, answer_frame);  // of unit 1, once more
    CHECK(bus.outcomes.size() == 1);
}

TEST_CASE("bus: an unregistered beginning is refused with its octets", "[frontend]") {
    Bus bus;
    const auto link = bus.call(bus.bus_port);
    bus.say(link, "48 45 4C 4C 4F");
    CHECK_THAT(bus.closed.at(link), Catch::StartsWith("malformed") && Catch::Contains("48454C4C4F"));
}

TEST_CASE("bus: a gateway that we called is read by transactions", "[frontend]") {
    Bus bus;
    REQUIRE(bus.core.on_dialled(LinkId{7}, bus.dialled, dtu, bus.now));
    bus.settle();
    CHECK(bus.phase(LinkId{7}) == Phase::ready);
    bus.ask();
    CHECK(bus.take(LinkId{7}) ==
          "0001000000060103"
          "0BB70006");
    bus.say(LinkId{7},
            "00 09 00 00 00 0F 01 03 0C 41 48 00 00 41 54 00 00 41 3C 00 00");  // another transaction
    CHECK(bus.outcomes.empty());
    bus.say(LinkId{7}, "00 01 00 00 00 0F 01 03 0C 41 48 00 00 41 54");
    bus.say(LinkId{7}, "00 00 41 3C 00 00");
    REQUIRE(bus.outcomes.size() == 1);
    CHECK(to_hex(bus.outcomes[0].apdu) == answer_pdu);
    bus.say(LinkId{7}, "00 01 12 34");  // protocol is not 0
    CHECK_THAT(bus.closed.at(LinkId{7}), Catch::StartsWith("malformed: not a Modbus TCP stream"));
}

}  // namespace wattmesh::headend::frontend
