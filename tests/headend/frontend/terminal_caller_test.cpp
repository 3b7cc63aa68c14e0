// Q/GDW 376.1 terminals that call in. Frames: uplink fact sheet 6.4 and 6.5.
#include "protocol/gdw376/exchange.h"
#include "protocol/gdw376/measurement.h"
#include "protocol/gdw376/terminal_number.h"
#include "tests/headend/frontend/caller_world.h"

namespace wattmesh::headend::frontend {
namespace {

using namespace std::chrono_literals;

const DeviceNumber number = DeviceNumber::parse("376440304660").value();
constexpr gdw376::Address address{.area = 0x4403, .terminal = 0x1234, .group = false, .master = 2};
const char* const login = "68 32 00 32 00 68 C9 03 44 34 12 00 02 70 00 00 01 00 C9 16";
const char* const login_ack = "68 32 00 32 00 68 0B 03 44 34 12 00 00 60 00 00 01 00 F9 16";
const char* const beat = "68 32 00 32 00 68 C9 03 44 34 12 00 02 71 00 00 04 00 CD 16";
const char* const logout = "68 32 00 32 00 68 C9 03 44 34 12 00 02 72 00 00 02 00 CC 16";

Buffer hex(const char* text) { return from_hex(text).value(); }

struct Site : CallerSite {
    Site() {
        directory.known.insert(number);
        terminals = {.name = "terminals",
                     .profiles = {},
                     .sniff = false,
                     .carries = link::Carried::gdw376,
                     .beat_every = 5min};
    }
    void log_in() {
        link = call(terminals);
        say(link, login);
        settle();
        REQUIRE(phase(link) == Phase::ready);
        take(link);
    }
    /// As it went out, with the number that the session gave it.
    gdw376::Frame sent() {
        gdw376::Decoder decoder;
        decoder.feed(std::exchange(out[link], {}));
        return decoder.next().value();
    }
    void ask() {
        const auto question =
            gdw376::ask(address, gdw376::Afn::class_1, {{.point = 2, .item = 129, .at = {}}}, 0);
        core.carry(number, Sap{}, gdw376::encode(question),
                   [this](const RelayOutcome& outcome) { outcomes.push_back(outcome); });
        perform(core.take_actions());
    }
    static gdw376::Frame answer(const gdw376::Frame& asked) {
        auto frame = gdw376::answer_to(asked, gdw376::Afn::class_1);
        frame.units = asked.units;
        return frame;
    }
    CallerPort terminals;
    LinkId link{};
    std::vector<RelayOutcome> outcomes;
};

}  // namespace

TEST_CASE("terminal: its log-in is confirmed before the database is asked, octet by octet", "[frontend]") {
    Site site;
    site.link = site.call(site.terminals);
    for (const auto octet : hex(login)) site.say(site.link, Bytes{&octet, 1});
    CHECK(site.take(site.link) == to_hex(hex(login_ack)));
    CHECK(site.directory.asked == 1);
    CHECK(site.work.admissions.empty());
    site.settle();
    CHECK(site.phase(site.link) == Phase::ready);
    REQUIRE(site.work.admissions.size() == 1);
    CHECK(site.work.admissions[0].first == number);
    site.say(site.link, beat);
    CHECK(site.core.sessions().front().counters.beats == 1);
}

TEST_CASE("terminal: heartbeats keep it for three of its periods, silence ends it, good-bye is said so",
          "[frontend]") {
    Site site;
    site.log_in();
    for (int i = 0; i < 4; ++i) {
        site.pass(5min, 10s);
        site.say(site.link, beat);
        // F1 of AFN 00 under the heartbeat's number (sheet 6.5, "ack F1", sequence 1: checksum one more)
        CHECK(site.take(site.link) ==
              to_hex(hex("68 32 00 32 00 68 0B 03 44 34 12 00 00 61 00 00 01 00 FA 16")));
    }
    site.pass(16min, 10s);
    CHECK_FALSE(site.phase(site.link));
    CHECK(site.core.counters().of(CallerEnd::silent) == 1);
    site.log_in();
    site.say(site.link, logout);
    CHECK(site.closed[site.link] == "logged_out: it said good-bye (4403-1234)");
    CHECK(site.core.counters().of(CallerEnd::logged_out) == 1);
}

TEST_CASE("terminal: an answer finds its question by number; a late one is dropped", "[frontend]") {
    Site site;
    site.log_in();
    site.ask();
    const auto first = site.sent();
    site.pass(91s);
    REQUIRE(site.outcomes.size() == 1);
    CHECK(site.outcomes[0].status == RelayStatus::timed_out);
    site.ask();
    const auto second = site.sent();
    CHECK(second.sequence == ((first.sequence + 1) & 0x0F));
    site.say(site.link, gdw376::encode(Site::answer(first)));
    CHECK(site.outcomes.size() == 1);
    site.say(site.link, beat);  // in between
    site.say(site.link, gdw376::encode(Site::answer(second)));
    REQUIRE(site.outcomes.size() == 2);
    CHECK(site.outcomes[1].status == RelayStatus::answered);
    CHECK(site.outcomes[1].apdu == gdw376::encode(Site::answer(second)));
    CHECK(site.core.sessions().front().counters.unasked == 0);
}

TEST_CASE("terminal: an answer in several frames comes as one", "[frontend]") {
    Site site;
    site.log_in();
    site.ask();
    auto one = Site::answer(site.sent());
    one.last = false;
    auto two = one;
    two.first = false;
    two.last = true;
    two.sequence = (one.sequence + 1) & 0x0F;
    site.say(site.link, gdw376::encode(one));
    CHECK(site.outcomes.empty());
    site.say(site.link, gdw376::encode(two));
    REQUIRE(site.outcomes.size() == 1);
    Buffer both = gdw376::encode(one);
    const Buffer rest = gdw376::encode(two);
    both.insert(both.end(), rest.begin(), rest.end());
    CHECK(site.outcomes[0].apdu == both);
}

TEST_CASE("terminal: reports are confirmed and handed on; 03 and 06 are denied", "[frontend]") {
    Site site;
    site.log_in();
    gdw376::Frame report;
    report.from_terminal = report.confirm = true;
    report.function = gdw376::function::send_no_reply;
    report.address = {.area = 0x4403, .terminal = 0x1234};
    report.sequence = 9;
    report.units = hex("00 00 01 00 14 0B 14 14");
    for (const auto afn : {gdw376::Afn::class_3, gdw376::Afn::relay_station, gdw376::Afn::authenticate}) {
        report.afn = afn;
        site.say(site.link, gdw376::encode(report));
        const auto receipt = site.sent();
        CHECK(receipt.sequence == 9);
        CHECK(gdw376::decode_confirmation(receipt)->accepted() == (afn == gdw376::Afn::class_3));
    }
    CHECK(site.work.pushes.size() == 3);
}

TEST_CASE("terminal: who is not registered waits in quarantine, who speaks something else is told apart",
          "[frontend]") {
    Site site;
    const auto stranger = site.call(site.terminals);
    site.say(stranger, "68 32 00 32 00 68 C9 71 01 22 08 00 02 71 00 00 01 00 D9 16");
    CHECK_FALSE(site.take(stranger).empty());  // it is confirmed all the same
    site.settle();
    CHECK(site.phase(stranger) == Phase::quarantined);
    CHECK(site.core.quarantine().strangers().size() == 1);
    const auto nobody = site.call(site.terminals);
    site.say(nobody, Bytes{Buffer(100, 0x68)});
    site.pass(61s);
    CHECK_FALSE(site.phase(nobody));
    CHECK(site.core.counters().of(CallerEnd::no_identity) + site.core.counters().of(CallerEnd::malformed) ==
          1);
    site.log_in();
    site.say(site.link, "68 32 00 32 00 68 C9 71 01 22 08 00 02 71 00 00 01 00 D9 16");
    CHECK(site.core.counters().of(CallerEnd::other_identity) == 1);
}

}  // namespace wattmesh::headend::frontend
