#include <cassert>

#include "protocol/link/hdlc_link.h"

/// A frame that decodes decodes again from its own encoding; neither end of a link fails on any stream.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace wattmesh;
    using link::HdlcLink;
    const Bytes stream{data, size};
    link::HdlcDecoder decoder;
    decoder.feed(stream);
    while (const auto frame = decoder.next()) {
        const auto again = link::decode_hdlc(link::encode_hdlc(*frame));
        assert(again && again->information == frame->information && again->control == frame->control);
    }
    HdlcLink server{{.role = HdlcLink::Role::server, .own = {.upper = 1}, .apdu_size_max = 1'000}};
    HdlcLink client{
        {.role = HdlcLink::Role::client, .own = {.upper = 16}, .peer = {.upper = 1}, .apdu_size_max = 1'000}};
    client.open();
    client.send_apdu(stream);
    for (HdlcLink* end : {&server, &client}) {
        end->feed(stream);
        while (const auto apdu = end->take_apdu()) end->send_apdu(*apdu);
        while (end->take_output()) {
        }
    }
    return 0;
}
