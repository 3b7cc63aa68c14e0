#include <cassert>

#include "headend/frontend/core.h"
#include "security/ciphers.h"
#include "tests/headend/frontend/memory_store.h"

/// Whatever an authenticated concentrator sends after its log-in, the front-end neither fails nor stores
/// anything twice, and a second link's log-in still works.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace wattmesh;
    using namespace wattmesh::headend::frontend;
    static security::OpensslCiphers ciphers;
    static security::SystemRandom random;
    MemoryStore store;
    Core core{{}, store, store, store, ciphers, random};
    Instant now = std::chrono::sys_days{std::chrono::year{2026} / 11 / 1};
    const std::string number = "900000000001";
    const Buffer login = link::encode_wrapper(
        {Sap{1}, Sap{1}, link::encode_hello({link::Hello::Kind::login, 2, number, std::uint8_t{0}, true})});
    const auto turn = [&] {
        for (int i = 0; i < 4; ++i) {
            core.tick(now);
            store.complete();
            (void)core.take_actions();
        }
    };
    core.on_accepted(LinkId{1}, {number, {}}, now);
    core.on_bytes(LinkId{1}, login, now);
    turn();
    // Each record: length, seconds that pass, octets.
    for (Bytes rest{data, size}; rest.size() > 2;) {
        const std::size_t length = std::min<std::size_t>(rest[0], rest.size() - 2);
        now += std::chrono::seconds{rest[1]};
        core.on_bytes(LinkId{1}, rest.subspan(2, length), now);
        rest = rest.subspan(2 + length);
        turn();
    }
    core.on_accepted(LinkId{2}, {number, {}}, now);
    core.on_bytes(LinkId{2}, login, now);
    turn();
    const auto sessions = core.sessions();
    assert(sessions.size() == 1 && sessions[0].phase == Phase::ready);
    return 0;
}
