#include <cassert>

#include "protocol/link/echo.h"
#include "protocol/link/mode_e.h"

/// Messages that decode encode to themselves; no stream breaks reader or meter; what an echo filter lets pass
/// and takes off is together what came. An octet FF is a timer.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace wattmesh;
    const Bytes stream{data, size};
    const Buffer octets = to_buffer(stream);
    if (const auto request = link::decode_sign_on_request(stream)) assert(encode(*request) == octets);
    if (const auto meter = link::decode_sign_on_identification(stream)) assert(encode(*meter) == octets);
    if (const auto select = link::decode_sign_on_select(stream)) assert(encode(*select) == octets);

    link::ModeEClient reader{{.address = "1", .wake_up = size % 2 == 0}};
    link::ModeEServer meter{{.identification = {"WMT", '5', "2", "METER"}, .address = "1"}};
    link::EchoFilter echo{true};
    reader.start();
    meter.start();
    std::size_t sent = 0, passed = 0;
    for (const std::uint8_t octet : stream) {
        if (octet == 0xFF) {
            reader.timed_out();
            meter.timed_out();
        }
        reader.feed(Bytes{&octet, 1});
        meter.feed(Bytes{&octet, 1});
        while (const auto action = reader.take_action())
            if (const auto* message = std::get_if<Buffer>(&*action))
                echo.sent(*message), sent += message->size();
        while (meter.take_action()) {
        }
        passed += echo.received(Bytes{&octet, 1}).size();
    }
    assert(passed <= size && passed + sent + 100 >= size);
    assert(meter.take_rest().size() <= link::SignOnDecoder::waiting_max);
    return 0;
}
