// Frames of Q/GDW 376.1 in a stream, and what is in them.
#include <cassert>

#include "protocol/gdw376/answer.h"
#include "protocol/gdw376/event.h"
#include "protocol/gdw376/exchange.h"
#include "protocol/gdw376/measurement.h"
#include "protocol/gdw376/parameters.h"
#include "protocol/gdw376/terminal_number.h"

using namespace wattmesh;
using namespace wattmesh::gdw376;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    Decoder decoder;
    const Bytes input{data, size};
    for (std::size_t at = 0, step = 1; at < size; at += step, step = step % 13 + 1) {
        decoder.feed(input.subspan(at, std::min(step, size - at)));
        while (const auto frame = decoder.next()) {
            static_cast<void>(encode(*frame));
            static_cast<void>(link_item(*frame));
            static_cast<void>(decode_confirmation(*frame).has_value());
            static_cast<void>(decode_measurements(*frame).has_value());
            static_cast<void>(decode_relay_request(*frame).has_value());
            static_cast<void>(decode_relay_answer(*frame).has_value());
            static_cast<void>(decode_parameters(*frame).has_value());
            static_cast<void>(decode_parameter_query(*frame).has_value());
            static_cast<void>(decode_queries(*frame).has_value());
            static_cast<void>(decode_events(*frame).has_value());
            static_cast<void>(decode_event_query(*frame).has_value());
            if (const auto number = terminal_number(frame->address))
                assert(terminal_address(*number)->terminal == frame->address.terminal);
        }
    }
    return 0;
}
