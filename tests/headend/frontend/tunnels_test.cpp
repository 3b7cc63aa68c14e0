#include "headend/frontend/tunnels.h"

#include "tests/headend/frontend/world.h"

namespace wattmesh::headend::frontend {
namespace {

using link::TunnelReason;

/// Vending, as far as tunnels see it.
struct Vending final : MachineDoor {
    std::optional<TunnelReason> open(const TunnelKey& key) override {
        if (refuses) return refuses;
        ways[key] = {};
        return std::nullopt;
    }
    bool send(const TunnelKey& key, Bytes octets) override {
        auto& sent = ways.at(key);
        sent.insert(sent.end(), octets.begin(), octets.end());
        return takes;
    }
    void pause(const TunnelKey&, bool now) override { paused = now; }
    void close(const TunnelKey& key, TunnelReason why) override {
        REQUIRE(ways.erase(key) == 1);
        closed.push_back(why);
    }
    std::map<TunnelKey, Buffer> ways;
    std::vector<TunnelReason> closed;
    std::optional<TunnelReason> refuses;
    bool takes = true, paused = false;
};

using Talk = std::vector<link::TunnelMessage>;
struct Tunnelled {
    explicit Tunnelled(bool connected = true) {
        if (connected) world.core.serve_machines(&vending);
        link = world.log_in(unit);
        REQUIRE(world.phase(link) == Phase::ready);
    }
    void say(const link::TunnelMessage& message) {
        unit.tunnel(message);
        world.settle();
    }
    void open(std::uint16_t tunnel, std::uint32_t limit = link::tunnel_window) {
        say(link::TunnelOpen{tunnel, limit});
        world.core.tunnel_opened(key(tunnel), world.now);
        world.settle();
        REQUIRE(heard() == Talk{link::TunnelOpened{tunnel, link::tunnel_window}});
    }
    void answer(std::uint16_t tunnel, Bytes octets) {
        world.core.tunnel_came(key(tunnel), octets, world.now);
        world.settle();
    }
    Talk heard() { return std::exchange(unit.tunnelled, {}); }
    TunnelKey key(std::uint16_t tunnel) const { return {number_of(concentrator_1), tunnel}; }
    TunnelCounters counters() const { return world.view(link).tunnelled.value(); }

    Vending vending;
    World world;
    FakeConcentrator unit{concentrator_1};
    LinkId link;
};

}  // namespace

TEST_CASE("tunnels: octets of a machine reach vending and back, held back by what the machine takes",
          "[frontend]") {
    Tunnelled at;
    at.open(5);
    at.say(link::TunnelData{5, 0, {0x16, 3, 1}});
    CHECK(at.vending.ways.at(at.key(5)) == Buffer{0x16, 3, 1});
    at.answer(5, Buffer(20'000, 9));
    std::size_t got = 0;
    for (const auto& message : at.heard()) got += std::get<link::TunnelData>(message).octets.size();
    CHECK(got == link::tunnel_window);
    CHECK(at.vending.paused);
    // Vending is through: the end comes behind the last octet, as late as the machine likes.
    at.world.core.tunnel_closed(at.key(5), TunnelReason::done, at.world.now);
    at.world.settle();
    CHECK(at.heard().empty());
    at.say(link::TunnelCredit{5, 2 * link::tunnel_window});
    at.say(link::TunnelCredit{5, 3 * link::tunnel_window});
    auto rest = at.heard();
    CHECK(rest.back() == link::TunnelMessage{link::TunnelClose{5, TunnelReason::done}});
    rest.pop_back();
    for (const auto& message : rest) got += std::get<link::TunnelData>(message).octets.size();
    CHECK(got == 20'000);
    CHECK(at.counters().octets_down == 20'000);
    CHECK(at.counters().octets_up == 3);
    CHECK(at.counters().opened == 1);
}

TEST_CASE("tunnels: refused where nobody connects machines, where vending is away, and beyond the most",
          "[frontend]") {
    SECTION("not configured") {
        Tunnelled at{false};
        at.say(link::TunnelOpen{1, 8'192});
        CHECK(at.heard() == Talk{link::TunnelClose{1, TunnelReason::not_configured}});
        CHECK(at.counters().refused == 1);
    }
    SECTION("vending does not answer") {
        Tunnelled at;
        at.say(link::TunnelOpen{1, 8'192});
        at.world.core.tunnel_closed(at.key(1), TunnelReason::vending_down, at.world.now);
        at.world.settle();
        CHECK(at.heard() == Talk{link::TunnelClose{1, TunnelReason::vending_down}});
        CHECK(at.counters().refused == 1);
    }
    SECTION("too many of one concentrator") {
        Tunnelled at;
        for (std::uint16_t tunnel = 1; tunnel <= Tunnels::tunnels_max + 1; ++tunnel)
            at.say(link::TunnelOpen{tunnel, 8'192});
        CHECK(at.heard() == Talk{link::TunnelClose{Tunnels::tunnels_max + 1, TunnelReason::busy}});
        CHECK(at.vending.ways.size() == Tunnels::tunnels_max);
    }
    SECTION("too many of all") {
        Tunnelled at;
        at.vending.refuses = TunnelReason::busy;
        at.say(link::TunnelOpen{1, 8'192});
        CHECK(at.heard() == Talk{link::TunnelClose{1, TunnelReason::busy}});
    }
    SECTION("a concentrator that nobody knows") {
        Vending vending;
        World world;
        world.core.serve_machines(&vending);
        FakeConcentrator unit{concentrator_1};
        world.store.standings[number_of(concentrator_1)] = Standing::unknown;
        const auto link = world.log_in(unit);
        REQUIRE(world.phase(link) == Phase::quarantined);
        unit.tunnel(link::TunnelOpen{1, 8'192});
        world.settle();
        CHECK(unit.tunnelled == Talk{link::TunnelClose{1, TunnelReason::uplink_down}});
        CHECK(vending.ways.empty());
    }
}

TEST_CASE("tunnels: a hole, too many octets and a vending that takes none end a tunnel", "[frontend]") {
    Tunnelled at;
    at.open(1);
    SECTION("a hole") {
        at.say(link::TunnelData{1, 3, {1}});
        CHECK(at.heard() == Talk{link::TunnelClose{1, TunnelReason::line}});
    }
    SECTION("vending takes none") {
        at.vending.takes = false;
        at.say(link::TunnelData{1, 0, {1}});
        CHECK(at.heard() == Talk{link::TunnelClose{1, TunnelReason::vending_down}});
    }
    SECTION("the machine goes") {
        at.say(link::TunnelClose{1, TunnelReason::done});
        CHECK(at.heard().empty());
    }
    CHECK(at.vending.ways.empty());
    CHECK(at.vending.closed.size() == 1);
    at.answer(1, Buffer{1});  // late
    at.say(link::TunnelData{1, 1, {1}});
    CHECK(at.heard().empty());
    CHECK(at.counters().stray == 1);
}

TEST_CASE("tunnels: a session that ends, or a newer one, lets go of vending", "[frontend]") {
    Tunnelled at;
    at.open(1);
    FakeConcentrator again{concentrator_1};
    SECTION("closed") { at.world.core.on_closed(at.link, at.world.now); }
    SECTION("a newer log-in") { at.world.log_in(again); }
    CHECK(at.vending.ways.empty());
    CHECK(at.vending.closed == std::vector{TunnelReason::uplink_down});
}

TEST_CASE("tunnels: metering and breakers go before what machines say", "[frontend]") {
    Tunnelled at;
    at.open(1);
    struct Order final : Tap {
        void opened(const TappedLink&, const std::string&, Instant) override {}
        void received(const TappedLink&, Bytes, Instant) override {}
        void sent(const TappedLink&, Bytes octets, Instant) override {
            link::WrapperDecoder decoder;
            decoder.feed(octets);
            while (const auto frame = decoder.next()) sources.push_back(frame->source);
        }
        void closed(const TappedLink&, const std::string&, Instant) override {}
        std::vector<Sap> sources;
    } order;
    at.world.core.listen_in(&order);
    at.world.core.tunnel_came(at.key(1), Buffer(3'000), at.world.now);
    at.world.core.relay(number_of(concentrator_1), number_of(meter_1), {0xC0}, [](const RelayOutcome&) {});
    at.world.settle();
    REQUIRE(order.sources.size() >= 4);
    CHECK(order.sources[0] == management_client);
    CHECK(order.sources[1] == link::tunnel_client);
    at.world.core.listen_in(nullptr);
}

}  // namespace wattmesh::headend::frontend
