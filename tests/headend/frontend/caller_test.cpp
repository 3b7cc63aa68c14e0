// Sessions with devices of other makes. Hellos: captures of uplink fact sheet 2.
#include "tests/headend/frontend/caller_world.h"

namespace wattmesh::headend::frontend {
namespace {

const char* const login = "00 01 00 01 00 01 00 12 0A 02 0C 32 31 30 36 30 30 34 30 32 39 34 31 00 5A 4C";
const char* const login_answer =
    "0001000100010012AA030C32313036303034303239343100"
    "7004";
const char* const beat = "00 01 00 01 00 01 00 11 0C 01 0C 32 31 30 36 30 30 34 30 32 39 34 31 17 62";
const DeviceNumber device = DeviceNumber::parse("210600402941").value();

}  // namespace

TEST_CASE("caller: a hello is answered before the store says anything, then the device is admitted",
          "[frontend]") {
    CallerSite site;
    const auto link = site.call(site.port);
    site.say(link, login);
    CHECK(site.take(link) == login_answer);
    CHECK(site.phase(link) == Phase::identified);
    CHECK(site.work.admissions.empty());
    site.settle();
    CHECK(site.phase(link) == Phase::ready);
    REQUIRE(site.work.admissions.size() == 1);
    CHECK(site.work.admissions.front() == std::pair{device, OwnerEpoch{1}});
    CHECK(site.core.has(device));
    CHECK(site.told.back() == "admitted device=210600402941 profile=longi");
}

TEST_CASE("caller: octets may come one by one, or hello and heartbeat in one piece", "[frontend]") {
    CallerSite site;
    const auto slow = site.call(site.port);
    const auto octets = from_hex(login).value();
    for (const auto octet : octets) site.say(slow, Bytes{&octet, 1});
    CHECK(site.take(slow) == login_answer);
    site.settle();
    auto both = from_hex(login).value();
    const auto second = from_hex(beat).value();
    both.insert(both.end(), second.begin(), second.end());
    const auto fast = site.call(site.port);
    site.say(fast, both);
    CHECK(site.take(fast).substr(0, 16 + 36) == login_answer);
    CHECK(site.core.sessions().back().counters.beats == 1);
    CHECK(site.core.sessions().back().counters.logins == 1);
}

TEST_CASE("caller: a wrong checksum is counted, another number on the same link ends it", "[frontend]") {
    CallerSite site;
    const auto link = site.call(site.port);
    site.say(link, "00 01 00 01 00 01 00 12 0A 02 0C 32 31 30 36 30 30 34 30 32 39 34 31 00 00 00");
    CHECK(site.take(link) == login_answer);
    CHECK(site.core.sessions().front().counters.bad_checksums == 1);
    site.say(link, "00 01 00 01 00 01 00 11 0C 01 0C 32 31 31 32 30 30 35 30 34 33 37 37 40 02");
    CHECK(site.closed.at(link) ==
          "other_identity: it said 210600402941 before, now 211200504377 (210600402941)");
    CHECK(site.core.counters().of(CallerEnd::other_identity) == 1);
}

TEST_CASE("caller: who is not registered, or was never configured, waits in quarantine and is answered",
          "[frontend]") {
    CallerSite site;
    site.directory.known.clear();
    const auto link = site.call(site.port);
    site.say(link, login);
    CHECK(site.take(link) == login_answer);
    site.settle();
    CHECK(site.phase(link) == Phase::quarantined);
    REQUIRE(site.core.quarantine().strangers().size() == 1);
    CHECK(site.core.quarantine().strangers().front().identity == "210600402941");
    CHECK(to_hex(site.core.quarantine().strangers().front().first_octets) == to_hex(from_hex(login).value()));
    std::optional<RelayStatus> status;
    site.core.carry(device, management_client, {0xC0},
                    [&](const RelayOutcome& outcome) { status = outcome.status; });
    CHECK(status == RelayStatus::offline);
    site.directory.known.insert(device);  // registered meanwhile
    for (int minute = 0; minute < 2; ++minute) {
        site.pass(std::chrono::seconds{40});
        site.say(link, beat);
    }
    CHECK(site.phase(link) == Phase::ready);
    CHECK(site.core.quarantine().strangers().empty());

    const auto blank = site.call(site.port);
    const int asked = site.directory.asked;
    site.say(blank, *site.longi.login.build("000000000000"));
    CHECK_FALSE(site.take(blank).empty());
    site.settle();
    CHECK(site.phase(blank) == Phase::quarantined);
    CHECK(site.directory.asked == asked);  // nobody has that number
}

TEST_CASE("caller: newest wins, and the older link's end does not mark the device offline", "[frontend]") {
    CallerSite site;
    const auto older = site.call(site.port), newer = site.call(site.port);
    site.say(older, login);
    site.settle();
    site.say(newer, login);
    site.settle();
    CHECK(site.closed.at(older) == "took_over: a newer log-in of 210600402941 (210600402941)");
    site.core.on_closed(older, site.now);
    CHECK(site.core.has(device));
    CHECK(site.phase(newer) == Phase::ready);
    CHECK(site.work.admissions.back().second == OwnerEpoch{2});
    CHECK(site.work.ends.empty());
}

TEST_CASE("caller: a number that calls in too often is held off and keeps the session it has", "[frontend]") {
    CallerSite site;
    LinkId last{};
    for (int i = 0; i < 6; ++i) {
        last = site.call(site.port);
        site.say(last, login);
        site.settle();
    }
    const auto stranger = site.call(site.port);
    site.say(stranger, login);
    site.settle();
    CHECK(site.closed.at(stranger).starts_with("held: 210600402941 calls in too often"));
    CHECK(site.phase(last) == Phase::ready);
    CHECK(site.core.counters().held == 1);
    // after the hold it may come again
    for (int i = 0; i < 4; ++i) {
        site.pass(std::chrono::seconds{45});
        site.say(last, beat);
    }
    const auto again = site.call(site.port);
    site.say(again, login);
    site.settle();
    CHECK(site.phase(again) == Phase::ready);
}

TEST_CASE("caller: offline comes by silence, of three heartbeats of its profile and half a minute",
          "[frontend]") {
    CallerSite site;
    const auto link = site.call(site.port);
    site.say(link, login);
    site.settle();
    site.core.on_closed(link, site.now);
    CHECK(site.work.ends == std::vector{device});
    site.pass(std::chrono::seconds{209});
    CHECK(site.core.counters().went_offline == 0);
    site.pass(std::chrono::seconds{2});
    CHECK(site.core.counters().went_offline == 1);
    REQUIRE_FALSE(site.store.sightings.empty());
    CHECK(site.store.sightings.back().link == LinkState::offline);
}

TEST_CASE("caller: every end has its reason and its counter", "[frontend]") {
    CallerSettings settings;
    settings.octets_per_minute_max = 2'000;
    settings.payload_size_max = 512;
    CallerCoreSettings core;
    core.session = settings;
    CallerSite site{core};
    struct Row {
        CallerEnd end;
        const char* reason;
        const char* said;
        int silence_s;
    };
    const auto row = GENERATE(values<Row>({
        {CallerEnd::no_identity, "no_identity: it did not say who it is", "", 61},
        {CallerEnd::unfinished_frame, "unfinished_frame: 9 octets of a frame, no more",
         "00 01 00 01 00 01 00 12 0A", 11},
        {CallerEnd::malformed, "malformed: its first octets are no hello of this port", "47 45 54 20 2F", 0},
        {CallerEnd::malformed, "malformed: its first octets are no hello of this port",
         "00 01 00 01 00 01 00 03 C0 01 C1", 0},
    }));
    const auto link = site.call(site.port);
    if (*row.said != '\0') site.say(link, row.said);
    site.pass(std::chrono::seconds{row.silence_s});
    REQUIRE(site.closed.contains(link));
    CHECK(site.closed.at(link) == row.reason);
    CHECK(site.core.counters().of(row.end) == 1);
    CHECK(site.core.sessions().empty());
}

TEST_CASE("caller: silence, a flood, a frame beyond the bound and a revoked number end a session",
          "[frontend]") {
    CallerSettings settings;
    settings.octets_per_minute_max = 2'000;
    settings.payload_size_max = 512;
    CallerCoreSettings core;
    core.session = settings;
    CallerSite site{core};
    const auto link = site.call(site.port);
    site.say(link, login);
    site.settle();
    SECTION("silence") {
        site.pass(std::chrono::seconds{211});
        CHECK(site.closed.at(link).starts_with("silent: "));
    }
    SECTION("a flood") {
        for (int i = 0; i < 80; ++i) site.say(link, beat);
        CHECK(site.closed.at(link).starts_with("flood: "));
    }
    SECTION("a long frame") {
        site.say(link, "00 01 00 01 00 01 02 01");
        CHECK(site.closed.at(link).starts_with("malformed: not a wrapper stream: too_long"));
    }
    SECTION("revoked") {
        site.directory.revoked.insert(device);
        const auto again = site.call(site.port);
        site.say(again, login);
        site.settle();
        CHECK(site.closed.at(again).starts_with("revoked: "));
    }
}

TEST_CASE("caller: one request at a time, late answers are dropped", "[frontend]") {
    CallerSite site;
    const auto link = site.call(site.port);
    site.say(link, login);
    site.settle();
    site.take(link);
    std::vector<RelayOutcome> outcomes;
    const auto ask = [&](std::uint8_t octet) {
        site.core.carry(device, management_client, {0xC8, octet},
                        [&](RelayOutcome outcome) { outcomes.push_back(std::move(outcome)); });
        site.settle();
    };
    ask(1);
    ask(2);
    CHECK(site.take(link) == "0001000100010002C801");
    // units that do not swap the ports are borne
    site.say(link, "00 01 00 01 00 01 00 02 CC 01");
    site.settle();
    REQUIRE(outcomes.size() == 1);
    CHECK(to_hex(outcomes.front().apdu) == "CC01");
    CHECK(site.take(link) == "0001000100010002C802");
    site.pass(std::chrono::seconds{61});
    REQUIRE(outcomes.size() == 2);
    CHECK(outcomes.back().status == RelayStatus::timed_out);
    ask(3);
    CHECK(site.take(link).empty());                   // it rests: the answer to 2 may still come
    site.say(link, "00 01 00 01 00 01 00 02 CC 02");  // and comes
    site.settle();
    CHECK(outcomes.size() == 2);
    CHECK(site.core.sessions().front().late_answers == 1);
    CHECK(site.take(link) == "0001000100010002C803");
    site.core.on_closed(link, site.now);
    REQUIRE(outcomes.size() == 3);
    CHECK(outcomes.back().status == RelayStatus::offline);
}

TEST_CASE("caller: a push in general blocks is handed on whole; where a block is missing it is none",
          "[frontend]") {
    CallerSite site;
    const LinkId link = site.call(site.port);
    site.say(link, "00 01 00 01 00 01 00 12 0A 02 0C 32 31 30 36 30 30 34 30 32 39 34 31 00 5A 4C");
    site.settle();
    REQUIRE(site.phase(link) == Phase::ready);
    // Heads as Landis+Gyr's meters send them (uplink fact sheet 4): E0 40 0001 0000, E0 40 0002 0000, E0 C0
    // 0003 0000
    const auto say = [&](const char* apdu) {
        site.say(link, link::encode_wrapper({Sap{1}, Sap{1}, from_hex(apdu).value()}));
    };
    say("E0 40 00 01 00 00 03 0F 00 03");
    say("E0 40 00 02 00 00 03 B5 33 0C");
    CHECK(site.work.pushes.empty());
    say("E0 C0 00 03 00 00 02 07 E8");
    REQUIRE(site.work.pushes.size() == 1);
    CHECK(to_hex(site.work.pushes[0]) == "0F0003B5330C07E8");
    say("E0 40 00 01 00 00 03 0F 00 03");
    say("E0 C0 00 03 00 00 02 07 E8");  // the second one was lost
    CHECK(site.work.pushes.size() == 1);
    CHECK(site.core.sessions().front().counters.dropped_pushes == 1);
    say("E0 C0 00 01 00 00 03 0F 00 04");
    CHECK(site.work.pushes.size() == 2);
}

TEST_CASE("caller: pushes are handed on, also one that came before the store knew the device", "[frontend]") {
    CallerSite site;
    const auto link = site.call(site.port);
    site.say(link, login);
    // uplink fact sheet 1, SMR5
    site.say(link,
             "00 01 00 67 00 66 00 23 0F 00 00 00 01 00 02 02 09 11 45 58 58 58 58 31 32 33 34 35 36 37 38 "
             "39 30 31 32 "
             "09 06 00 00 19 09 00 FF");
    CHECK(site.work.pushes.empty());
    site.settle();
    REQUIRE(site.work.pushes.size() == 1);
    CHECK(site.work.pushes.front().front() == 0x0F);
    // a ciphered one while a service-ciphered request is open is no answer to it
    bool answered = false;
    site.core.carry(device, management_client, {0xC8, 1}, [&](const RelayOutcome&) { answered = true; });
    site.settle();
    site.say(link, "00 01 00 01 00 01 00 03 DB 08 57");
    CHECK(site.work.pushes.size() == 2);
    CHECK_FALSE(answered);
}

TEST_CASE("caller: a device that says nothing is asked for its logical device name", "[frontend]") {
    CallerSite site;
    const auto link = site.call(site.mixed);
    site.pass(std::chrono::seconds{11});
    const std::string asked = site.take(link);
    CHECK(asked.substr(0, 12) == "000100100001");  // public client to the management logical device
    CHECK(asked.substr(16, 2) == "60");
    // AARE: accepted, no security; Green Book ed. 10, 11.2: dlms version 6, conformance GET, PDU 500, VAA
    // 0007
    site.say(link,
             "00 01 00 01 00 10 00 2B 61 29 A1 09 06 07 60 85 74 05 08 01 01 A2 03 02 01 00 A3 05 A1 03 02 "
             "01 00 BE 10 "
             "04 0E 08 00 06 5F 1F 04 00 00 10 10 01 F4 00 07");
    const std::string get = site.take(link);
    CHECK(get.find("00010000"
                   "2A0000FF0200") != std::string::npos);
    // GET.response, octet-string "WMT0540000000001"
    site.say(link,
             "00 01 00 01 00 10 00 16 C4 01 C1 00 09 10 57 4D 54 30 35 34 30 30 30 30 30 30 30 30 30 31");
    site.settle();
    CHECK(site.phase(link) == Phase::ready);
    CHECK(site.core.has(DeviceNumber::parse("540000000001").value()));
}

TEST_CASE("caller: on a mixed port a known speech that is not served is named", "[frontend]") {
    CallerSite site;
    const auto link = site.call(site.mixed);
    site.say(link, "68 32 00 32 00 68 C9 00 02 34 12 00 02 71 00 00 01 00 85 16");
    CHECK(site.closed.at(link) == "malformed: speaks gdw376, not served here");
}

TEST_CASE("caller: more unidentified links than allowed are refused", "[frontend]") {
    CallerCoreSettings settings;
    settings.unidentified_max = 2;
    CallerSite site{settings};
    const auto first = site.call(site.port);
    site.call(site.port);
    CHECK_FALSE(site.taken.at(site.call(site.port)));
    CHECK(site.core.counters().refused_full == 1);
    site.say(first, login);
    site.settle();
    CHECK(site.taken.at(site.call(site.port)));
}

TEST_CASE("caller: strangers and held numbers take bounded room", "[frontend]") {
    Quarantine quarantine{3};
    Instant now{};
    for (int i = 0; i < 10; ++i) {
        now += std::chrono::seconds{1};
        CHECK(quarantine.note({.identity = std::to_string(i), .profile = {}, .port = {}, .first_octets = {}},
                              now));
    }
    CHECK(quarantine.strangers().size() == 3);
    CHECK_FALSE(quarantine.note({.identity = "9", .profile = {}, .port = {}, .first_octets = {}}, now));
    const DampingSettings settings;
    Damping damping{settings};
    for (std::uint8_t i = 0; i < 100; ++i) damping.admit(DeviceNumber{{0, 0, 0, 0, 0, i}}, now);
    damping.forget_old(now + settings.window);
    CHECK(damping.size() == 0);
}

}  // namespace wattmesh::headend::frontend
