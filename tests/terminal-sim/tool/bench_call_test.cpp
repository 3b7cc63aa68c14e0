// The simulated meter's ports by real sockets on the loopback.
#include <catch2/catch.hpp>

#include "platform/udp_socket.h"
#include "protocol/link/hdlc_link.h"
#include "terminal-sim/tool/data_text.h"
#include "terminal-sim/tool/meter_session.h"
#include "tests/terminal-sim/tool/meter_thread.h"

using namespace wattmesh;
using namespace wattmesh::sim;

namespace {

MeterSession::Who management() { return {management_client, {}, dlms::ClientKeys{key(1), key(2)}}; }
MeterSession::Who reading() { return {reading_client, to_buffer(as_bytes("12345678")), {}}; }

/// Stands between a reader and a meter on UDP and swallows datagrams: a table says which.
class LossyStreet {
public:
    LossyStreet(std::uint16_t meter_port, std::vector<int> lost)
        : meter_{"127.0.0.1", meter_port}, lost_(std::move(lost)) {
        thread_ = std::thread{[this] {
            platform::UdpSocket front{loop_, {}}, back{loop_, {}};
            front.start({[&](const platform::UdpPeer& from, Bytes datagram) {
                             reader_ = from;
                             if (!loses()) back.send(meter_, datagram);
                         },
                         {}});
            back.start({[&](const platform::UdpPeer&, Bytes datagram) {
                            if (!loses()) front.send(reader_, datagram);
                        },
                        {}});
            port_ = front.port();
            loop_.run();
        }};
        while (port_ == 0) std::this_thread::yield();
    }
    ~LossyStreet() {
        loop_.stop();
        thread_.join();
    }
    platform::HostPort address() const { return {"127.0.0.1", port_}; }

private:
    bool loses() { return std::find(lost_.begin(), lost_.end(), count_++) != lost_.end(); }

    platform::Loop loop_{std::make_shared<platform::ScaledClock>()};
    platform::UdpPeer meter_, reader_;
    std::vector<int> lost_;
    int count_ = 0;
    std::atomic<std::uint16_t> port_{0};
    std::thread thread_;
};

}  // namespace

TEST_CASE("udp: a lost request and a lost answer cost a repetition, ciphered or not, and nothing runs twice",
          "[sim]") {
    const MeterThread meter{LinkKind::udp};
    // Every datagram of the session is lost once somewhere in this table, requests and answers alike.
    const auto first = GENERATE(range(0, 12));
    CAPTURE(first);
    const LossyStreet street{meter.address().port, {first}};
    BenchCall call{street.address(), LinkKind::udp, management_logical_device, 300ms};
    {
        MeterSession session{call, management()};  // 6 exchanges: counter as public client, then HLS
        CHECK(session.get({70, obis::disconnect_control, 2}) == dlms::ReadOutcome{dlms::Data{true}});
        session.release();
    }
    CHECK(call.repeated() >= 1);
}

TEST_CASE("udp: a peer that is not there costs the attempts that were given, then says so", "[sim]") {
    const MeterThread meter{LinkKind::udp};
    const LossyStreet street{meter.address().port, {0, 1, 2, 3}};
    BenchCall call{street.address(), LinkKind::udp, management_logical_device, 50ms, {.attempts_max = 3}};
    CHECK_THROWS_WITH((MeterSession{call, {}}), Catch::Contains("no answer in time"));
    CHECK(call.repeated() == 2);
}

TEST_CASE("udp: octets that are no single wrapper PDU get no answer and disturb nobody", "[sim]") {
    const MeterThread meter{LinkKind::udp};
    platform::Loop loop{std::make_shared<platform::ScaledClock>()};
    platform::UdpSocket socket{loop, {}};
    const platform::UdpPeer to_meter{"127.0.0.1", meter.address().port};
    int answers = 0;
    socket.start({[&](const platform::UdpPeer&, Bytes) { ++answers; }, {}});
    for (const char* wrong :
         {"", "00", "000100100001000DC001", "000100100001000162630000", "7EA0070321930F017E"})
        CHECK(socket.send(to_meter, from_hex(wrong).value()));
    BenchCall call{meter.address(), LinkKind::udp, management_logical_device, 10s};
    MeterSession open{call, {}};
    CHECK(std::holds_alternative<dlms::Data>(open.get({8, obis::clock, 2})));
    loop.poll();
    CHECK(answers == 0);
}

TEST_CASE("hdlc on TCP: windows and frame sizes as both agree", "[sim]") {
    const MeterThread meter{LinkKind::hdlc, {.hdlc_window = 5, .hdlc_information = 300}};
    const auto window = GENERATE(as<std::uint8_t>{}, 1, 3, 7);
    const auto information = GENERATE(as<std::uint16_t>{}, 64, 128, 2'030);
    BenchCall call{meter.address(),
                   LinkKind::hdlc,
                   management_logical_device,
                   20s,
                   {.hdlc_window = window, .hdlc_information = information}};
    MeterSession session{call, reading()};
    const auto profile = session.get({7, obis::load_profile, 2});
    CHECK(std::get<dlms::Data>(profile).elements()->size() == 96);
    session.release();
    CHECK(call.repeated() == 0);
}

TEST_CASE("hdlc on TCP: a data link on which nothing happens is closed by the meter", "[sim]") {
    const MeterThread meter{LinkKind::hdlc, {.inactive_real_max = 0s}};
    BenchCall call{meter.address(), LinkKind::hdlc, management_logical_device, 300ms};
    call.use(public_client);
    const auto aarq =
        from_hex("601DA109060760857405080101BE10040E01000000065F1F0400007E1F04B0").value();  // AARQ-1
    std::string reason;
    for (int again = 0; again < 100 && reason.empty(); ++again) try {
            call.exchange(aarq);  // in time, or DM
            std::this_thread::sleep_for(10ms);
        } catch (const std::runtime_error& closed) {
            reason = closed.what();
        }
    CHECK_THAT(reason, Catch::Contains("no answer in time"));
}

TEST_CASE("general blocks stream over every link, with windows of HDLC or without", "[sim]") {
    const auto kind = GENERATE(LinkKind::wrapper, LinkKind::hdlc, LinkKind::udp, LinkKind::mode_e);
    const auto window = GENERATE(as<std::uint8_t>{}, 1, 4);
    CAPTURE(to_string(kind), window);
    const MeterThread meter{kind};
    BenchCall call{meter.address(), kind, management_logical_device, 20s, {.hdlc_window = window}};
    auto who = reading();
    who.general_blocks = true;
    who.pdu_size_max = 200;
    MeterSession session{call, who};
    const auto profile = session.get({7, obis::load_profile, 2});
    CHECK(std::get<dlms::Data>(profile).elements()->size() == 96);
    session.release();
    CHECK(call.streamed() > 10);
    CHECK(call.repeated() == 0);
}

TEST_CASE("mode E: an echoing head is read with the quirk, and not without it", "[sim]") {
    const MeterThread meter{LinkKind::mode_e, {.echo = true}};
    const auto address = to_string(MeterThread::number);
    {
        BenchCall call{meter.address(),
                       LinkKind::mode_e,
                       management_logical_device,
                       20s,
                       {.echo = true, .device_address = address}};
        for (int twice = 0; twice < 2; ++twice) {  // each data link signs on anew
            MeterSession open{call, {}};
            CHECK(to_json(std::get<dlms::Data>(open.get({1, obis::logical_device_name, 2}))) ==
                  "\"WMT540000000042\"");
            open.release();
        }
    }
    // Client 1 and server 1: without the quirk the client takes its own frames for the meter's.
    BenchCall call{meter.address(), LinkKind::mode_e, management_logical_device, 200ms, {.attempts_max = 2}};
    call.use(management_client);
    const auto aarq =
        from_hex("601DA109060760857405080101BE10040E01000000065F1F0400007E1F04B0").value();  // AARQ-1
    CHECK_THROWS_WITH(call.exchange(aarq), Catch::Contains("no answer in time"));
}

TEST_CASE("mode E: another meter's address gets no answer", "[sim]") {
    const MeterThread meter{LinkKind::mode_e};
    BenchCall call{meter.address(),
                   LinkKind::mode_e,
                   management_logical_device,
                   20s,
                   {.attempts_max = 1, .device_address = "540000000001"}};
    CHECK_THROWS_WITH(call.use(public_client), Catch::Contains("sign-on"));
}
