#pragma once
#include <catch2/catch.hpp>
#include <fstream>
#include <set>
#include <sstream>

#include "headend/frontend/caller_core.h"
#include "security/ciphers.h"
#include "tests/headend/frontend/fake_concentrator.h"
#include "tests/headend/frontend/memory_store.h"

namespace wattmesh::headend::frontend {

inline link::HelloProfile shipped_profile(const std::string& name) {
    std::ifstream in{"protocol/link/profiles/" + name + ".hello"};
    std::ostringstream text;
    REQUIRE(text << in.rdbuf());
    return std::get<link::HelloProfile>(link::parse_hello_profile(text.str()));
}

/// Knows some numbers; answers when it is told to.
struct MemoryDirectory : CallerDirectory {
    void open_caller(DeviceNumber number, Instant,
                     std::function<void(std::optional<SessionOpened>)> done) override {
        ++asked;
        waiting.push_back([this, number, done] {
            if (down) return done(std::nullopt);
            const bool is_known = known.contains(number);
            const auto standing = !is_known                  ? Standing::unknown
                                  : revoked.contains(number) ? Standing::revoked
                                                             : Standing::known;
            if (standing == Standing::known) ++epochs[number].value;
            done(SessionOpened{standing, epochs[number]});
        });
    }
    void complete() {
        for (auto& done : std::exchange(waiting, {})) done();
    }
    std::set<DeviceNumber> known, revoked;
    std::map<DeviceNumber, OwnerEpoch> epochs;
    bool down = false;
    int asked = 0;
    std::vector<std::function<void()>> waiting;
};

struct NotedWork : CallerWork {
    void admitted(DeviceNumber device, OwnerEpoch epoch, link::Carried) override {
        admissions.emplace_back(device, epoch);
    }
    void ended(DeviceNumber device) override { ends.push_back(device); }
    void pushed(DeviceNumber, OwnerEpoch, Buffer apdu, Instant) override {
        pushes.push_back(std::move(apdu));
    }
    std::vector<std::pair<DeviceNumber, OwnerEpoch>> admissions;
    std::vector<DeviceNumber> ends;
    std::vector<Buffer> pushes;
};

/// A core, what it borrows, and links whose octets are kept.
struct CallerSite {
    explicit CallerSite(CallerCoreSettings settings = {})
        : core(std::move(settings), directory, store, work, ciphers, random) {
        directory.known = {DeviceNumber::parse("210600402941").value(),
                           DeviceNumber::parse("211200504377").value(),
                           DeviceNumber::parse("540000000001").value()};
    }
    LinkId call(const CallerPort& at) {
        const LinkId link{next_link++};
        taken[link] = core.on_accepted(link, at, now);
        return link;
    }
    void say(LinkId link, Bytes octets) {
        core.on_bytes(link, octets, now);
        perform(core.take_ready_actions());
    }
    void say(LinkId link, const char* hex) { say(link, from_hex(hex).value()); }
    void settle() {
        directory.complete();
        core.tick(now);
        perform(core.take_actions());
    }
    void pass(Duration duration, Duration step = std::chrono::seconds{1}) {
        for (const Instant end = now + duration; now < end;) {
            now += step;
            settle();
        }
    }
    std::string take(LinkId link) { return to_hex(std::exchange(out[link], {})); }
    std::optional<Phase> phase(LinkId link) const {
        for (const auto& view : core.sessions())
            if (view.link == link) return view.phase;
        return std::nullopt;
    }
    void perform(std::vector<CallerAction> actions) {
        for (auto& action : actions) {
            if (const auto* sent = std::get_if<SendBytes>(&action))
                out[sent->link].insert(out[sent->link].end(), sent->bytes.begin(), sent->bytes.end());
            else if (const auto* close = std::get_if<CloseLink>(&action))
                closed[close->link] = close->reason;
            else
                told.push_back(std::get<TellLink>(action).text);
        }
    }

    Instant now = std::chrono::sys_days{std::chrono::year{2026} / 11 / 1};
    link::HelloProfile longi = shipped_profile("longi"), ivy = shipped_profile("ivy"),
                       usr = shipped_profile("usr");
    CallerPort port{"longi", {&longi}, false}, mixed{"mixed", {&ivy, &longi}, true};
    MemoryDirectory directory;
    MemoryStore store;
    NotedWork work;
    security::OpensslCiphers ciphers;
    CountingRandom random;
    CallerCore core;
    std::map<LinkId, bool> taken;
    std::map<LinkId, Buffer> out;
    std::map<LinkId, std::string> closed;
    std::vector<std::string> told;
    std::uint64_t next_link = 1;
};

}  // namespace wattmesh::headend::frontend
