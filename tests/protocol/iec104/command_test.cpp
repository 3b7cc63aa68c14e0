#include <catch2/catch.hpp>

#include "tests/protocol/iec104/wire.h"

using namespace wattmesh;
using namespace wattmesh::iec104;
using namespace std::chrono;

namespace {

const DoubleCommand off{DoubleState::off, 0, false}, on{DoubleState::on, 0, false};

DoubleCommand selecting(DoubleCommand command) {
    command.select = true;
    return command;
}

std::vector<PointDefinition> table() {
    return {{{1, 100'001}, Type::double_point},
            {{1, 500'001}, Type::double_command, 0, 0, {}, true, true},
            {{1, 500'002}, Type::double_command, 0, 0, {}, false, true},
            {{1, 510'001}, Type::float_setpoint, 0, 0, {}, true, false}};
}

struct Commanded : Wire {
    explicit Commanded(bool commands = true) : Wire(table(), {1'000, commands}) {
        master = &add_master();
        start(*master);
    }
    /// What the station says at once.
    Reply ask(const Value& value, std::uint32_t address = 500'001, Cause cause = Cause::activation) {
        const auto request = master->core.command(1, address, value, now, cause);
        const auto got = exchange(*master);
        return got.empty() ? Reply::none : reply_to(request, got.at(0));
    }
    /// As run(), but no time passes.
    std::vector<Asdu> exchange(Mastered& one) {
        station.feed(one.id, one.core.link().take(), now);
        one.core.feed(station.take(one.id), now);
        return one.core.take_received();
    }
    Mastered* master = nullptr;
};

}  // namespace

TEST_CASE("outstation: a selected command is executed once, confirmed and ended", "[iec104]") {
    Commanded wire;
    CHECK(wire.ask(selecting(off)) == Reply::confirmed);
    CHECK(wire.station.take_commands().empty());
    CHECK(wire.ask(off) == Reply::none);  // waits for the owner
    const auto commands = wire.station.take_commands();
    REQUIRE(commands.size() == 1);
    CHECK(commands[0].key == PointKey{1, 500'001});
    CHECK(commands[0].value == Value{off});
    CHECK(commands[0].originator == 3);
    CHECK(wire.ask(selecting(on)) == Reply::confirmed);
    CHECK(wire.ask(on) == Reply::refused);  // one at a time for each point
    SECTION("done") {
        wire.station.confirm(commands[0].id, true, noon);
        auto got = wire.exchange(*wire.master);
        REQUIRE(got.size() == 1);
        CHECK(got[0].header.cause == Cause::activation_confirmation);
        CHECK_FALSE(got[0].header.negative);
        wire.station.finish(commands[0].id, true, noon);
        // the state that the command brought
        wire.station.set(0, {DoublePoint{DoubleState::off}, {}, {noon, false, false, false}}, noon,
                         Cause::return_remote);
        wire.station.pump(noon);
        got = wire.exchange(*wire.master);
        REQUIRE(got.size() == 2);
        CHECK(got[0].header.cause == Cause::activation_termination);
        CHECK(got[0].objects[0].value == Value{off});
        CHECK(got[1].header.type == Type::double_point_time);
        CHECK(got[1].header.cause == Cause::return_remote);
    }
    SECTION("refused by the gate") {
        wire.station.confirm(commands[0].id, false, noon);
        const auto got = wire.exchange(*wire.master);
        REQUIRE(got.size() == 1);
        CHECK(got[0].header.cause == Cause::activation_confirmation);
        CHECK(got[0].header.negative);
        wire.station.finish(commands[0].id, true, noon);  // nothing: it has ended
        CHECK(wire.exchange(*wire.master).empty());
    }
    SECTION("failed at the far end") {
        wire.station.confirm(commands[0].id, true, noon);
        wire.station.finish(commands[0].id, false, noon);
        const auto got = wire.exchange(*wire.master);
        REQUIRE(got.size() == 2);
        CHECK(got[1].header.cause == Cause::activation_termination);
        CHECK(got[1].header.negative);
    }
    SECTION("the master has gone") {
        wire.station.disconnect(wire.master->id);
        wire.station.confirm(commands[0].id, true, noon);
        wire.station.finish(commands[0].id, true, noon);
    }
}

TEST_CASE("outstation: without the right selection nothing is executed", "[iec104]") {
    Commanded wire;
    CHECK(wire.ask(off) == Reply::refused);  // not selected
    CHECK(wire.ask(selecting(off)) == Reply::confirmed);
    CHECK(wire.ask(on) == Reply::refused);  // selected was another one
    CHECK(wire.ask(selecting(off), 500'001, Cause::deactivation) == Reply::confirmed);
    CHECK(wire.ask(off) == Reply::refused);  // given up
    CHECK(wire.ask(selecting(off), 500'001, Cause::deactivation) == Reply::refused);
    CHECK(wire.ask(selecting(off)) == Reply::confirmed);
    for (int i = 0; i < 3; ++i) {
        wire.now += 10s;
        wire.master->core.tick(wire.now);
        wire.exchange(*wire.master);
        wire.station.tick(wire.now);
    }
    CHECK(wire.ask(off) == Reply::refused);                      // expired
    CHECK(wire.ask(selecting(off), 500'002) == Reply::refused);  // not writable
    CHECK(wire.ask(selecting(DoubleCommand{DoubleState::indeterminate, 0, true})) == Reply::refused);
    CHECK(wire.ask(SingleCommand{true, 0, true}) == Reply::refused);  // another type than the table's
    CHECK(wire.station.take_commands().empty());
}

TEST_CASE("outstation: another master can neither use nor take a selection", "[iec104]") {
    Commanded wire;
    const auto group = wire.station.add_group({1'000, true});
    auto& other = wire.add_master(group);
    wire.start(other);
    CHECK(wire.ask(selecting(off)) == Reply::confirmed);
    for (const auto& value : {selecting(off), off}) {
        const auto request = other.core.command(1, 500'001, value, wire.now);
        CHECK(reply_to(request, wire.exchange(other).at(0)) == Reply::refused);
    }
    CHECK(wire.station.take_commands().empty());
    wire.ask(off);
    CHECK(wire.station.take_commands().size() == 1);
}

TEST_CASE("outstation: a group without commands gets none, and a set-point needs no selection when so said",
          "[iec104]") {
    Commanded closed{false};
    CHECK(closed.ask(selecting(off)) == Reply::refused);
    Commanded open;
    CHECK(open.ask(FloatSetpoint{12.5F, 0, false}, 510'001) == Reply::none);
    const auto commands = open.station.take_commands();
    REQUIRE(commands.size() == 1);
    CHECK(commands[0].value == Value{FloatSetpoint{12.5F, 0, false}});
}

TEST_CASE("outstation: commands with a time that is too old, and tests, are not executed", "[iec104]") {
    Commanded wire;
    struct Row {
        const char* why;
        Duration age;
        bool invalid, test, taken;
    };
    const auto row = GENERATE(values<Row>({{"just now", 1s, false, false, true},
                                           {"31 s ago", 31s, false, false, false},
                                           {"from tomorrow", -24h, false, false, false},
                                           {"by a doubtful clock", 1s, true, false, false},
                                           {"as a test", 1s, false, true, false}}));
    DYNAMIC_SECTION(row.why) {
        Asdu asdu;
        asdu.header = {Type::double_command_time, Cause::activation, false, row.test, 3, 1};
        asdu.objects = {{500'001, selecting(off), {}, {wire.now - row.age, row.invalid, false, false}}};
        Buffer frame;
        encode_information(0, 1, encode(asdu), frame);
        wire.station.feed(wire.master->id, frame, wire.now);
        const auto answer = wire.station.take(wire.master->id);
        const auto got = decode_asdu(decode_frame(answer).value().asdu).value();
        CHECK(got.header.cause == Cause::activation_confirmation);
        CHECK(got.header.negative == !row.taken);
    }
}

TEST_CASE("outstation: a clock that is near is confirmed with our time, another one refused", "[iec104]") {
    Commanded wire;
    const auto near = wire.master->core.sync_clock(1, noon + 300ms);
    auto got = wire.exchange(*wire.master);
    CHECK(reply_to(near, got.at(0)) == Reply::confirmed);
    CHECK(got.at(0).objects[0].time.at == wire.now);
    const auto far = wire.master->core.sync_clock(1, noon + 1h);
    CHECK(reply_to(far, wire.exchange(*wire.master).at(0)) == Reply::refused);
    CHECK(wire.station.counters().clock_refused == 1);
    const auto test = wire.master->core.test(1, 0x55AA, noon);
    CHECK(reply_to(test, wire.exchange(*wire.master).at(0)) == Reply::confirmed);
}
