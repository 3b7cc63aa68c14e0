#include <cassert>

#include "headend/frontend/caller_core.h"
#include "security/ciphers.h"
#include "tests/headend/frontend/memory_store.h"

namespace {

using namespace wattmesh;
using namespace wattmesh::headend::frontend;

struct EveryoneKnown : CallerDirectory {
    void open_caller(DeviceNumber, Instant, std::function<void(std::optional<SessionOpened>)> done) override {
        waiting.push_back(
            [done, epoch = ++epochs] { done(SessionOpened{Standing::known, OwnerEpoch{epoch}}); });
    }
    std::int64_t epochs = 0;
    std::vector<std::function<void()>> waiting;
};

struct Heard : CallerWork {
    void admitted(DeviceNumber, OwnerEpoch, link::Carried) override {}
    void ended(DeviceNumber) override {}
    void pushed(DeviceNumber, OwnerEpoch, Buffer apdu, Instant) override { octets += apdu.size(); }
    std::size_t octets = 0;
};

}  // namespace

/// Whatever anybody sends who calls in, on a port of one make and on a mixed one: what is handed on and kept
/// is no more than what came, a session that ended stays ended, and a device still gets in afterwards.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static security::OpensslCiphers ciphers;
    static security::SystemRandom random;
    static const auto profile = std::get<link::HelloProfile>(
        link::parse_hello_profile("name = x\ncarries = wrapper\n"
                                  "login = 00 01 00 01 00 01 size16 0A ( ?? idsize id rest ) x25\n"
                                  "login.answer = 00 01 00 01 00 01 size16 AA ( 03 idsize id ?2 ) x25\n"
                                  "beat = 00 01 00 01 00 01 size16 0C ( ?? idsize id rest ) x25\n"));
    const CallerPort one{"one", {&profile}, false}, mixed{"mixed", {&profile}, true},
        terminals{.name = "terminals",
                  .profiles = {},
                  .sniff = false,
                  .carries = link::Carried::gdw376,
                  .beat_every = {}};
    EveryoneKnown directory;
    Heard heard;
    MemoryStore store;
    CallerCore core{{}, directory, store, heard, ciphers, random};
    Instant now = std::chrono::sys_days{std::chrono::year{2026} / 11 / 1};
    const auto turn = [&] {
        for (auto& done : std::exchange(directory.waiting, {})) done();
        core.tick(now);
        (void)core.take_actions();
    };
    core.on_accepted(LinkId{1}, one, now);
    core.on_accepted(LinkId{2}, mixed, now);
    core.on_accepted(LinkId{3}, terminals, now);
    // Each record: length, link and seconds that pass, octets.
    for (Bytes rest{data, size}; rest.size() > 2;) {
        const std::size_t length = std::min<std::size_t>(rest[0], rest.size() - 2);
        now += std::chrono::seconds{rest[1] >> 1U};
        core.on_bytes(LinkId{1U + (rest[1] & 1U)}, rest.subspan(2, length), now);
        core.on_bytes(LinkId{3}, rest.subspan(2, length), now);
        rest = rest.subspan(2 + length);
        turn();
        for (const auto& view : core.sessions())
            if (view.phase == Phase::ready && (view.since.time_since_epoch().count() & 1) == 0)
                core.carry(number_of_identity(view.identity).value_or(DeviceNumber{}), management_client,
                           {0xC8, 1}, [](const RelayOutcome&) {});
    }
    assert(heard.octets <= 2 * size);  // the terminal's port hears everything once more
    now += std::chrono::minutes{10};
    turn();
    assert(core.sessions().empty());
    core.on_accepted(LinkId{4}, one, now);
    core.on_bytes(LinkId{4}, profile.login.build("549000000001").value(), now);
    turn();
    assert(core.sessions().size() == 1 && core.sessions()[0].phase == Phase::ready);
    return 0;
}
