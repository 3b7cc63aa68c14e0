#include <cassert>

#include "protocol/link/hdlc_link.h"

namespace {

using namespace wattmesh;
using link::HdlcLink;

/// Works off what an end has, as an owner would; counts bound what it may keep.
void work(HdlcLink& end) {
    while (const auto apdu = end.take_apdu()) {
        assert(apdu->size() <= 1'000);
        end.send_apdu(*apdu);
    }
    while (const auto push = end.take_push()) assert(push->apdu.size() <= 1'000);
    int frames = 0;
    while (end.take_output()) assert(++frames < 200);
}

}  // namespace

/// No stream breaks either end of a link, whatever window it has and however the stream is cut. Octet 0:
/// windows and where to cut; then for the client's timer, one `repeat` per piece that ends in an even octet.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 2) return 0;
    const Bytes stream{data + 1, size - 1};
    const auto window = static_cast<std::uint8_t>(1 + data[0] % 7);
    const std::size_t piece = 1 + data[0] / 7U * 8U;
    HdlcLink server{{.role = HdlcLink::Role::server,
                     .own = {.upper = 1},
                     .window_send_max = window,
                     .window_receive_max = window,
                     .apdu_size_max = 1'000,
                     .apdus_waiting_max = 3}};
    HdlcLink client{{.own = {.upper = 16},
                     .peer = {.upper = 1},
                     .window_send_max = window,
                     .window_receive_max = window,
                     .apdu_size_max = 1'000,
                     .take_unconnected = true}};
    link::HdlcPushReceiver line{{.assembly = {.apdu_size_max = 1'000, .take_unconnected = true}}};
    client.open();
    client.send_apdu(stream.first(std::min<std::size_t>(stream.size(), 1'000)));
    Instant now{};
    for (std::size_t at = 0; at < stream.size(); at += piece) {
        const Bytes octets = stream.subspan(at, std::min(piece, stream.size() - at));
        server.feed(octets);
        client.feed(octets);
        line.feed(octets, now += std::chrono::milliseconds{octets.back()});
        work(server);
        work(client);
        if (octets.back() % 2 == 0) client.repeat();
        while (const auto push = line.take()) assert(push->apdu.size() <= 1'000);
    }
    return 0;
}
