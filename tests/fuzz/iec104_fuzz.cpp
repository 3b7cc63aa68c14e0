// IEC 60870-5-104: ASDUs, frames in any chunking, and an outstation that a hostile master talks to.
#include <cassert>

#include "protocol/iec104/asdu.h"
#include "protocol/iec104/outstation.h"

using namespace wattmesh;
using namespace wattmesh::iec104;

namespace {

const Instant noon = std::chrono::sys_days{std::chrono::year{2026} / 11 / 23} + std::chrono::hours{12};

/// Reserved bits are not kept, so that it is the second encoding that must be the first.
void check_asdu(Bytes input) {
    const auto decoded = decode_asdu(input);
    if (!decoded) return;
    const auto once = encode(*decoded);
    const auto again = decode_asdu(once);
    assert(again && encode(*again) == once);
}

void check_outstation(Bytes input) {
    Outstation station{{},
                       {{{1, 1}, Type::single_point, 1},
                        {{1, 2}, Type::short_float, 2},
                        {{1, 3}, Type::integrated_total, 1},
                        {{1, 4}, Type::double_command, 0, 0, {}, true, true},
                        {{2, 5}, Type::scaled}}};
    station.add_group({8, true});
    const auto id = station.connect(0, noon);
    Buffer start;
    encode_unnumbered(Unnumbered::start_activate, start);
    station.feed(id, start, noon);
    auto now = noon;
    float value = 0;
    for (std::size_t at = 0, step = 1; at < input.size() && !station.fault(id); at += step) {
        step = input[at] % 61 + 1U;
        station.feed(id, input.subspan(at, std::min(step, input.size() - at)), now);
        for (const auto& command : station.take_commands()) {
            assert(command.key == (PointKey{1, 4}));
            station.confirm(command.id, step % 2 == 0, now);
            station.finish(command.id, step % 4 == 0, now);
        }
        station.set(1, {Float{value += 1}, {}, {now, false, false, false}}, now);
        now += std::chrono::milliseconds{step * 100};
        station.tick(now);
        assert(station.take(id).size() < 1'000'000);
    }
    station.disconnect(id);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const Bytes input{data, size};
    check_asdu(input);
    check_outstation(input);
    return 0;
}
