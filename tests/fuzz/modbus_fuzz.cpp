// Requests, answers and both framings of Modbus; the first octet chooses what was asked.
#include <cassert>

#include "protocol/modbus/pdu.h"
#include "protocol/modbus/rtu.h"
#include "protocol/modbus/tcp.h"

using namespace wattmesh;
using namespace wattmesh::modbus;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const Bytes input = Bytes{data, size}.subspan(1);
    const Request asked[]{Read{Function::read_holding_registers, 2'999, 6},
                          Read{Function::read_coils, 19, 19}, WriteRegisters{1, {3}, true},
                          WriteRegisters{1, {3, 4}, false}, WriteCoils{0xAC, {true}, true}};
    const Request& request = asked[data[0] % std::size(asked)];
    // The bits behind the last coil say nothing and come back as zeros.
    if (const auto decoded = decode_request(input); decoded && !std::holds_alternative<WriteCoils>(*decoded))
        assert(to_buffer(input) == encode(*decoded));
    if (const auto decoded = decode_response(input, request);
        decoded && !std::holds_alternative<Bits>(*decoded))
        assert(to_buffer(input) == encode(*decoded, request));

    RtuAnswerFinder finder;
    finder.open(1, request);
    RtuRequestDecoder slave;
    TcpDecoder tcp;
    for (std::size_t at = 0, step = 1; at < input.size(); at += step, step = step % 7 + 1) {
        const Bytes piece = input.subspan(at, std::min(step, input.size() - at));
        finder.feed(piece);
        if (!finder.is_open()) finder.open(1, request);
        finder.next();
        slave.feed(piece);
        while (slave.next()) {
        }
        tcp.feed(piece);
        while (tcp.next()) {
        }
    }
    return 0;
}
