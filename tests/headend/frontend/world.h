#pragma once
#include <catch2/catch.hpp>

#include "headend/frontend/core.h"
#include "tests/headend/frontend/fake_concentrator.h"
#include "tests/headend/frontend/memory_store.h"

namespace wattmesh::headend::frontend {

constexpr Instant start_of_day = std::chrono::sys_days{std::chrono::year{2026} / 11 / 1};
inline const std::string concentrator_1 = "900000000001", meter_1 = "540000000001", meter_2 = "540000000002";
inline DeviceNumber number_of(const std::string& digits) { return DeviceNumber::parse(digits).value(); }

/// One front-end core, its store, and links between it and fake concentrators, under one virtual clock.
struct World {
    explicit World(CoreSettings settings = {})
        : core(std::move(settings), store, store, store, ciphers, random) {}

    Instant now = start_of_day + std::chrono::hours{12};
    MemoryStore store;
    security::OpensslCiphers ciphers;
    CountingRandom random;
    Core core;
    std::map<LinkId, FakeConcentrator*> links;
    std::map<LinkId, std::string> closed;  ///< with the front-end's reason
    std::uint64_t next_link = 1;

    LinkId connect(FakeConcentrator& unit, std::optional<Instant> renew_at = {}) {
        const LinkId link{next_link++};
        links[link] = &unit;
        core.on_accepted(link, {unit.number, renew_at}, now);
        return link;
    }
    LinkId log_in(FakeConcentrator& unit, std::optional<Instant> renew_at = {}) {
        const LinkId link = connect(unit, renew_at);
        core.on_bytes(link, unit.login(), now);
        settle();
        return link;
    }
    /// Carries octets and completions until nothing moves.
    void settle() {
        for (bool moved = true; moved;) {
            core.tick(now);
            moved = store.complete();
            for (Action& action : core.take_actions()) {
                moved = true;
                perform(action);
            }
            for (auto [link, unit] : std::map{links}) {
                while (const auto pdu = unit->take()) {
                    moved = true;
                    core.on_bytes(link, *pdu, now);
                }
            }
        }
    }
    /// Time passes in steps; the units beat every minute unless `beats` is false.
    void pass(Duration duration, bool beats = true) {
        for (const Instant end = now + duration; now < end;) {
            now += std::chrono::seconds{1};
            if (beats && epoch_us(now) / 1'000'000 % 60 == 0) {
                for (auto [link, unit] : std::map{links}) core.on_bytes(link, unit->heartbeat(), now);
            }
            settle();
        }
    }
    Phase phase(LinkId link) const {
        for (const SessionView& view : core.sessions()) {
            if (view.link == link) return view.phase;
        }
        return Phase::closing;
    }
    SessionView view(LinkId link) const {
        for (const SessionView& session : core.sessions()) {
            if (session.link == link) return session;
        }
        FAIL("no such session");
        return {};
    }

private:
    void perform(Action& action) {
        if (const auto* out = std::get_if<SendBytes>(&action)) {
            if (links.contains(out->link)) links[out->link]->receive(out->bytes, now);
        } else {
            const auto& close = std::get<CloseLink>(action);
            closed[close.link] = close.reason;
            links.erase(close.link);
        }
    }
};

}  // namespace wattmesh::headend::frontend
