// Frames of DL/T 645 in a stream, and the answers in them.
#include <cassert>

#include "protocol/dlt645/frame.h"
#include "protocol/dlt645/item.h"
#include "protocol/dlt645/request.h"

using namespace wattmesh;
using namespace wattmesh::dlt645;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    Decoder decoder;
    const Bytes input{data, size};
    for (std::size_t at = 0, step = 1; at < size; at += step, step = step % 11 + 1) {
        decoder.feed(input.subspan(at, std::min(step, size - at)));
        while (const auto frame = decoder.next()) {
            Decoder again;
            again.feed(encode(*frame));
            assert(again.next() == frame);
            for (const DataId id : {0x00010000U, 0x0202FF00U}) {
                const auto answer = take_answer(*frame, read(any_address, id));
                if (!answer) continue;
                if (const auto* read_data = std::get_if<ReadData>(&*answer))
                    static_cast<void>(decode_values(*find_item(id), read_data->octets).has_value());
            }
        }
    }
    return 0;
}
