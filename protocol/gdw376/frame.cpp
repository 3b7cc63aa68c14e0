#include "protocol/gdw376/frame.h"

#include <algorithm>
#include <cassert>
#include <cstdio>
#include <numeric>

#include "protocol/base/bcd.h"
#include "protocol/base/writer.h"

namespace wattmesh::gdw376 {

namespace {

constexpr std::uint8_t start = 0x68, end = 0x16;
constexpr std::size_t header_size = 6, trailer_size = 2;
constexpr std::size_t fixed_size = 1 + 5 + 1 + 1;  // C, A, AFN, SEQ
constexpr std::size_t password_size = 16, events_size = 2, time_tag_size = 6;

namespace c {
constexpr std::uint8_t from_terminal = 0x80, initiates = 0x40, bit_5 = 0x20, frame_count_valid = 0x10,
                       function = 0x0F;
}
namespace seq {
constexpr std::uint8_t time_tag = 0x80, first = 0x40, last = 0x20, confirm = 0x10, number = 0x0F;
}

std::uint8_t checksum(Bytes octets) {
    return static_cast<std::uint8_t>(std::accumulate(octets.begin(), octets.end(), 0U));
}

std::uint8_t control_octet(const Frame& frame) {
    const bool five = frame.from_terminal ? frame.events.has_value() : frame.frame_count_bit;
    return static_cast<std::uint8_t>(
        (frame.from_terminal ? c::from_terminal : 0) | (frame.initiates ? c::initiates : 0) |
        (five ? c::bit_5 : 0) | (!frame.from_terminal && frame.frame_count_valid ? c::frame_count_valid : 0) |
        frame.function);
}

/// The last `size` octets of what is left; empty and nothing taken when there are less.
Bytes take_last(Bytes& rest, std::size_t size) {
    if (rest.size() < size) return {};
    const Bytes taken = rest.last(size);
    rest = rest.first(rest.size() - size);
    return taken;
}

/// What stands behind the data units, from the end: Tp, then EC or the password.
void decode_aux(Frame& frame, Bytes rest, std::uint8_t control, bool tagged) {
    if (tagged)
        if (const Bytes tp = take_last(rest, time_tag_size); !tp.empty())
            frame.time_tag =
                TimeTag{tp[0], from_bcd(tp[1]), from_bcd(tp[2]), from_bcd(tp[3]), from_bcd(tp[4]), tp[5]};
    if (frame.from_terminal && (control & c::bit_5) != 0)
        if (const Bytes ec = take_last(rest, events_size); !ec.empty())
            frame.events = EventCounters{ec[0], ec[1]};
    if (!frame.from_terminal && wants_password(frame.afn))
        // The four octets of a data unit stay at least.
        if (rest.size() >= 4 + password_size) {
            std::array<std::uint8_t, password_size> octets{};
            std::ranges::copy(take_last(rest, password_size), octets.begin());
            frame.password = Secret<16>{octets};
        }
    frame.units = to_buffer(rest);
}

Frame decode_user(Bytes user, std::uint8_t protocol) {
    Frame frame;
    frame.protocol = protocol;
    const std::uint8_t control = user[0], sequence = user[7];
    frame.from_terminal = (control & c::from_terminal) != 0;
    frame.initiates = (control & c::initiates) != 0;
    frame.frame_count_bit = !frame.from_terminal && (control & c::bit_5) != 0;
    frame.frame_count_valid = !frame.from_terminal && (control & c::frame_count_valid) != 0;
    frame.function = control & c::function;
    frame.address.area = static_cast<std::uint16_t>(user[1] | user[2] << 8);
    frame.address.terminal = static_cast<std::uint16_t>(user[3] | user[4] << 8);
    frame.address.group = (user[5] & 1) != 0;
    frame.address.master = user[5] >> 1;
    frame.afn = static_cast<Afn>(user[6]);
    frame.first = (sequence & seq::first) != 0;
    frame.last = (sequence & seq::last) != 0;
    frame.confirm = (sequence & seq::confirm) != 0;
    frame.sequence = sequence & seq::number;
    decode_aux(frame, user.subspan(fixed_size), control, (sequence & seq::time_tag) != 0);
    return frame;
}

}  // namespace

bool wants_password(Afn afn) {
    switch (afn) {
        case Afn::reset:
        case Afn::set_parameters:
        case Afn::control:
        case Afn::authenticate:
        case Afn::file:
        case Afn::relay:
            return true;
        default:
            return false;
    }
}

std::string to_string(const Address& address) {
    char text[16];
    std::snprintf(text, sizeof text, "%04X-%04X", address.area, address.terminal);
    return text;
}

Buffer encode(const Frame& frame) {
    assert(frame.protocol < 4 && frame.function < 16 && frame.sequence < 16 && frame.address.master < 128);
    assert(!frame.events || frame.from_terminal);
    assert(!frame.password || (!frame.from_terminal && wants_password(frame.afn)));
    Writer user;
    user.u8(control_octet(frame)).u16_le(frame.address.area).u16_le(frame.address.terminal);
    user.u8(static_cast<std::uint8_t>(frame.address.master << 1 | (frame.address.group ? 1 : 0)));
    user.u8(static_cast<std::uint8_t>(frame.afn));
    user.u8(static_cast<std::uint8_t>((frame.time_tag ? seq::time_tag : 0) | (frame.first ? seq::first : 0) |
                                      (frame.last ? seq::last : 0) | (frame.confirm ? seq::confirm : 0) |
                                      frame.sequence));
    user.bytes(frame.units);
    if (frame.password) user.bytes(frame.password->reveal());
    if (frame.events) user.u8(frame.events->important).u8(frame.events->normal);
    if (const auto& tag = frame.time_tag)
        user.u8(tag->counter)
            .u8(to_bcd(tag->second))
            .u8(to_bcd(tag->minute))
            .u8(to_bcd(tag->hour))
            .u8(to_bcd(tag->day))
            .u8(tag->delay_min);
    assert(user.size() <= user_size_max);
    const auto length = static_cast<std::uint16_t>(user.size() << 2 | frame.protocol);
    Writer out;
    out.u8(start).u16_le(length).u16_le(length).u8(start).bytes(user.view());
    return out.u8(checksum(user.view())).u8(end).take();
}

void Decoder::feed(Bytes octets) { buffer_.insert(buffer_.end(), octets.begin(), octets.end()); }

std::optional<Frame> Decoder::next() {
    std::size_t at = 0;
    std::optional<Frame> found;
    for (; at < buffer_.size() && !found; ++at) {
        const Bytes rest = Bytes{buffer_}.subspan(at);
        if (rest[0] != start) continue;
        if (rest.size() < header_size) break;
        const auto length = static_cast<std::uint16_t>(rest[1] | rest[2] << 8);
        if (rest[3] != rest[1] || rest[4] != rest[2] || rest[5] != start) continue;
        const std::size_t user_size = length >> 2;
        const bool possible = user_size >= fixed_size && user_size <= user_max_;
        if (possible && rest.size() < header_size + user_size + trailer_size) break;
        const Bytes user = possible ? rest.subspan(header_size, user_size) : Bytes{};
        if (!possible || rest[header_size + user_size] != checksum(user) ||
            rest[header_size + user_size + 1] != end) {
            ++refused_;
            continue;
        }
        found = decode_user(user, static_cast<std::uint8_t>(length & 3));
        at += header_size + user_size + trailer_size - 1;
    }
    buffer_.erase(buffer_.begin(), buffer_.begin() + static_cast<std::ptrdiff_t>(at));
    return found;
}

Frame answer_to(const Frame& asked, Afn afn) {
    Frame out;
    out.protocol = asked.protocol;
    out.from_terminal = !asked.from_terminal;
    out.initiates = false;
    out.function = afn == Afn::confirm && asked.from_terminal ? function::link_status : function::user_data;
    out.address = asked.address;
    out.afn = afn;
    out.sequence = asked.sequence;
    return out;
}

}  // namespace wattmesh::gdw376
