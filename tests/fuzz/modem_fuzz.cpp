#include <cassert>

#include "protocol/modem/modem.h"

using namespace wattmesh;

/// A modem may write anything: lines stay bounded, data go to open connections only, and the ladder goes on.
/// The first octets say how the rest is cut and how much time passes.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 2) return 0;
    modem::ModemSettings settings;
    settings.pin = "1234";
    settings.reset_line = (data[0] & 1) != 0;
    modem::Modem modem(settings);
    const std::size_t piece = 1 + data[0] / 2;
    const Duration pause = std::chrono::milliseconds{data[1] * 40};
    Instant now{};
    modem.start(now);
    std::map<modem::SocketId, bool> open;
    for (std::size_t at = 2; at < size; at += piece) {
        modem.receive(Bytes{data + at, std::min(piece, size - at)}, now);
        if (const auto socket = modem.open("head-end", 4061, now)) {
            assert(!open.contains(*socket));
            open[*socket] = false;
        }
        while (const auto action = modem.take_action()) {
            if (const auto* opened = std::get_if<modem::SocketOpened>(&*action)) {
                assert(open.contains(opened->socket));
                open[opened->socket] = true;
                modem.send(opened->socket, as_bytes("hello"), now);
            }
            if (const auto* received = std::get_if<modem::SocketReceived>(&*action))
                assert(open.at(received->socket) && !received->bytes.empty());
            if (const auto* closed = std::get_if<modem::SocketClosed>(&*action))
                assert(open.erase(closed->socket) == 1);
        }
        now += pause;
        modem.tick(now);
        assert(modem.next_deadline() > now);
    }
    return 0;
}
