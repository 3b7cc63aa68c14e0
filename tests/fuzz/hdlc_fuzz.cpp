#include <cassert>

#include "protocol/link/hdlc.h"
#include "protocol/link/hdlc_parameters.h"

/// A frame that decodes decodes again from its own encoding, and so do the parameters of SNRM and UA.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace wattmesh;
    link::HdlcDecoder decoder;
    decoder.feed(Bytes{data, size});
    while (const auto frame = decoder.next()) {
        const auto again = link::decode_hdlc(link::encode_hdlc(*frame));
        assert(again && again->information == frame->information && again->control == frame->control);
        const auto parameters = link::decode_hdlc_parameters(frame->information);
        if (parameters)
            assert(*link::decode_hdlc_parameters(link::encode_hdlc_parameters(*parameters)) == *parameters);
    }
    return 0;
}
