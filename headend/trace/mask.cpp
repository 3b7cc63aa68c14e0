#include "headend/trace/mask.h"

#include <algorithm>
#include <array>
#include <numeric>

#include "protocol/dlt645/frame.h"
#include "protocol/gdw376/frame.h"

namespace wattmesh::headend::trace {
namespace {

// mechanism-name [11] of the low level: 2.16.756.5.8.2.1
constexpr std::array<std::uint8_t, 9> low_level{0x8B, 0x07, 0x60, 0x85, 0x74, 0x05, 0x08, 0x02, 0x01};

/// calling-authentication-value [12], a GraphicString [0], stands right behind the mechanism.
void mask_password_of_association(Buffer& frame) {
    constexpr std::uint8_t authentication_value = 0xAC, graphic_string = 0x80;
    for (auto at = frame.begin(); at != frame.end();) {
        at = std::search(at, frame.end(), low_level.begin(), low_level.end());
        if (at == frame.end()) return;
        at += low_level.size();
        if (frame.end() - at < 4 || at[0] != authentication_value || at[2] != graphic_string) continue;
        const auto size = std::min<std::ptrdiff_t>(at[3], frame.end() - at - 4);
        std::fill_n(at + 4, size, std::uint8_t{0});
    }
}

/// Where the data of a DL/T 645 command hold PA P0 P1 P2, as [begin, end).
struct Range {
    std::size_t begin = 0, end = 0;
};
Range password_in(std::uint8_t control) {
    using dlt645::Function;
    switch (static_cast<Function>(control)) {
        case Function::write:  // behind the item
            return {4, 8};
        case Function::change_password:  // old and new, behind the item
            return {4, 12};
        case Function::reset_demand:
        case Function::clear_meter:
        case Function::clear_events:
        case Function::control_relay:
            return {0, 4};
        default:
            return {};
    }
}

/// 68 | address, 6 | 68 | control | length | data + 33h | checksum | 16
void mask_meter_frames(Buffer& units) {
    constexpr std::size_t head = 10;
    constexpr std::uint8_t start = 0x68, offset = 0x33;
    for (std::size_t at = 0; at + head < units.size(); ++at) {
        if (units[at] != start || units[at + 7] != start) continue;
        const std::size_t size = units[at + 9], checksum = at + head + size;
        if (checksum + 1 >= units.size() || units[checksum + 1] != 0x16) continue;
        const Range password = password_in(units[at + 8]);
        const auto data = units.begin() + static_cast<std::ptrdiff_t>(at + head);
        std::fill(data + static_cast<std::ptrdiff_t>(std::min(password.begin, size)),
                  data + static_cast<std::ptrdiff_t>(std::min(password.end, size)), offset);
        units[checksum] = std::accumulate(
            units.begin() + static_cast<std::ptrdiff_t>(at), data + static_cast<std::ptrdiff_t>(size),
            std::uint8_t{0},
            [](std::uint8_t sum, std::uint8_t octet) { return static_cast<std::uint8_t>(sum + octet); });
    }
}

Buffer masked_terminal_frame(Bytes octets) {
    gdw376::Decoder decoder;
    decoder.feed(octets);
    auto frame = decoder.next();
    if (!frame) return Buffer(octets.size(), 0);  // ours decode; what does not is not shown
    if (frame->password) frame->password = Secret<16>{};
    mask_meter_frames(frame->units);
    return gdw376::encode(*frame);
}

}  // namespace

Buffer masked(link::Carried carries, Bytes octets) {
    if (carries == link::Carried::gdw376) return masked_terminal_frame(octets);
    Buffer frame = to_buffer(octets);
    if (carries == link::Carried::wrapper) mask_password_of_association(frame);
    return frame;
}

}  // namespace wattmesh::headend::trace
