#include "tests/concentrator/core/door.h"

using namespace wattmesh;
using namespace wattmesh::concentrator;

TEST_CASE("station: enrols with a code, calls in over mutual TLS, renews, and is shut out when revoked",
          "[concentrator]") {
    constexpr double speed = 20;
    platform::Loop loop(std::make_shared<platform::ScaledClock>(speed));
    Door door(loop);
    security::OpensslCiphers ciphers;
    security::SystemRandom random;
    const Scratch scratch;
    IdentityFiles files(scratch.file("state"));
    const auto code = security::make_one_time_code(random, door.ca.der());

    const auto enrolled = enrol(loop, random, door.address(), self, code.text());
    REQUIRE(enrolled);
    files.store(*enrolled);

    // nobody listens at the radio's address: the uplink does not mind
    StationSettings settings{{door.address()}, {"127.0.0.1", 9}};
    settings.speed = speed;
    auto station = std::make_unique<Station>(loop, settings, *files.load(), files, ciphers, random);
    station->start();
    run_until(loop, [&] { return door.uplinks == 1 && !door.head.hellos.empty(); });
    CHECK(door.head.hellos[0].address == to_string(self));
    const auto first_serial = door.serial;

    door.head.configuration.associate();
    door.head.replication.associate();
    const auto clock =
        door.head.configuration.set({8, obis::clock, 2}, dlms::date_time_octets({loop.now(), 0, 0}));
    const auto directory = door.head.replication.get({1, dcu::objects::journal_directory, 2});
    const auto csr = door.head.configuration.get({1, dcu::objects::certificate_request, 2});
    door.flush();
    run_until(loop, [&] { return door.head.reads.count(csr) == 1 && door.head.reads.count(directory) == 1; });
    CHECK(door.head.writes.at(clock) == dlms::AccessResult::success);
    const auto journals = dcu::directory_from_data(std::get<dlms::Data>(door.head.reads.at(directory)));
    REQUIRE(journals);
    CHECK(journals->back().last == Sequence{1});  // "started"

    const auto der = std::get<dlms::Data>(door.head.reads.at(csr)).octets();
    const auto renewed = std::get<security::CertificateFacts>(door.ca.sign(der, self, real_now()));
    const auto write = door.head.configuration.set({1, dcu::objects::certificate_request, 2},
                                                   dlms::octet_string(renewed.der));
    door.flush();
    run_until(loop, [&] { return door.head.writes.count(write) == 1; });
    CHECK(door.head.writes.at(write) == dlms::AccessResult::success);
    CHECK(security::read_certificate(files.load()->certificate_pem)->serial == renewed.serial);

    door.link->close();  // the next call shows the new certificate
    run_until(loop, [&] { return door.uplinks == 2; });
    CHECK(door.serial == renewed.serial);
    CHECK(door.serial != first_serial);

    door.revoked = true;
    door.link->close();
    run_until(loop, [&] { return !door.refusals.empty(); });
    CHECK(door.uplinks == 2);
    door.revoked = false;
    run_until(loop, [&] { return door.uplinks == 3; });  // it never gives up
}

TEST_CASE("station: a refused enrolment and a head-end that is another one end with words",
          "[concentrator]") {
    platform::Loop loop(std::make_shared<platform::ScaledClock>(20));
    Door door(loop);
    security::SystemRandom random;
    SECTION("refused") {
        door.refuses = true;
        const auto code = security::make_one_time_code(random, door.ca.der());
        CHECK_THROWS_WITH(enrol(loop, random, door.address(), self, code.text()),
                          Catch::Contains("has been used"));
    }
    SECTION("not a code") {
        CHECK_THROWS_WITH(enrol(loop, random, door.address(), self, "WM1-X"),
                          Catch::Contains("headend enrol 900000000001"));
    }
    SECTION("another head-end gets nothing of us") {
        const auto stranger = security::CertificateAuthority::create("stranger", real_now());
        const auto code = security::make_one_time_code(random, stranger.der());
        platform::Timer stop(loop);
        stop.after_real(1s, [&] { loop.stop(); });
        CHECK_FALSE(enrol(loop, random, door.address(), self, code.text()));
        CHECK(door.request.empty());
    }
}
