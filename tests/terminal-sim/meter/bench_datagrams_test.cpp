// What runs twice and what does not when a datagram comes twice: a model that counts, by a real socket.
#include <catch2/catch.hpp>

#include "platform/udp_socket.h"
#include "protocol/link/wrapper.h"
#include "security/ciphers.h"
#include "terminal-sim/meter/bench_datagrams.h"

using namespace wattmesh;
using namespace wattmesh::sim;
using namespace std::chrono_literals;

namespace {

class CountingModel : public dlms::ObjectModel {
public:
    void get(const dlms::AttributeId&, const dlms::Selection&, Sap, Instant,
             std::function<void(dlms::ReadOutcome)> done) override {
        done(dlms::Data{static_cast<std::uint32_t>(++gets)});
    }
    void set(const dlms::AttributeId&, const dlms::Data&, Sap, Instant,
             std::function<void(dlms::AccessResult)> done) override {
        ++sets;
        done(dlms::AccessResult::success);
    }
    void act(const dlms::MethodId&, const std::optional<dlms::Data>&, Sap, Instant,
             std::function<void(dlms::ActionOutcome)> done) override {
        ++acts;
        done({});
    }
    int gets = 0, sets = 0, acts = 0;
};

/// A meter and two peers on one loop.
struct Street {
    platform::Loop loop{std::make_shared<platform::ScaledClock>()};
    platform::Timer guard{loop}, look{loop};
    security::OpensslCiphers ciphers;
    security::SystemRandom random;
    CountingModel model;
    BenchDatagrams meter;
    platform::UdpSocket peer{loop, {}}, other{loop, {}};
    std::vector<std::string> answers, other_answers;

    explicit Street(BenchLimits limits = {})
        : meter(
              loop, "127.0.0.1", 0,
              [this] {
                  dlms::ClientAccess access{};
                  access.client = public_client;
                  return std::make_unique<dlms::Server>(SystemTitle{}, std::vector{access}, model, ciphers,
                                                        random);
              },
              limits) {
        peer.start(
            {[this](const platform::UdpPeer&, Bytes octets) { answers.push_back(to_hex(octets)); }, {}});
        other.start(
            {[this](const platform::UdpPeer&, Bytes octets) { other_answers.push_back(to_hex(octets)); },
             {}});
    }
    void send(platform::UdpSocket& from, const char* apdu) {
        const auto octets = from_hex(apdu).value();
        CHECK(from.send({"127.0.0.1", meter.port()},
                        link::encode_wrapper({public_client, management_logical_device, octets})));
    }
    void run_until(const std::function<bool()>& done) {
        guard.after_real(60s, [this] { loop.stop(); });
        std::function<void()> again = [&] {
            if (done()) return loop.stop();
            look.after_real(1ms, again);
        };
        again();
        loop.run();
        REQUIRE(done());
    }
    /// Sends it twice and gives back both answers.
    std::vector<std::string> twice(const char* apdu) {
        answers.clear();
        send(peer, apdu);
        send(peer, apdu);
        run_until([this] { return answers.size() == 2; });
        return answers;
    }
};

// dlms fact sheet 4: AARQ-1, GET-1, SET-1, ACT-DISC.
const char* const aarq = "601DA109060760857405080101BE10040E01000000065F1F0400007E1F04B0";
const char* const get = "C001C100080000010000FF0200";
const char* const set = "C101C100080000010000FF0200090C07E50118FF0E303950FFC400";
const char* const act = "C301C10046000060030AFF01010F00";

}  // namespace

TEST_CASE(
    "udp port: a datagram that comes twice is answered twice; SET and ACTION run once, a plain GET twice",
    "[sim]") {
    Street street;
    const auto associated = street.twice(aarq);
    CHECK(associated[0] == associated[1]);
    CHECK(associated[0].substr(16, 2) == "61");
    const auto written = street.twice(set);
    CHECK(written == std::vector<std::string>(2, "0001000100100004C501C100"));
    CHECK(street.model.sets == 1);
    CHECK(street.twice(act) == std::vector<std::string>(2, "0001000100100005C701C10000"));
    CHECK(street.model.acts == 1);
    const auto read = street.twice(get);
    CHECK(read[0] != read[1]);
    CHECK(street.model.gets == 2);
    CHECK(street.meter.repeated() == 3);
    // Meant twice, with something in between: done twice.
    street.twice(act);
    CHECK(street.model.acts == 2);
}

TEST_CASE("udp port: each peer has associations of its own, and only so many peers are remembered", "[sim]") {
    Street street{{.connections_max = 1}};
    street.send(street.peer, aarq);
    street.run_until([&] { return street.answers.size() == 1; });
    street.send(street.other, get);
    street.run_until([&] { return street.other_answers.size() == 1; });
    CHECK(street.other_answers[0].substr(16, 2) == "D8");  // not associated: exception-response
    CHECK(street.model.gets == 0);
    CHECK(street.meter.peers() == 1);
    street.send(street.peer, get);  // the first peer was forgotten for the second
    street.run_until([&] { return street.answers.size() == 2; });
    CHECK(street.answers[1].substr(16, 2) == "D8");
}
