#include "protocol/gdw376/exchange.h"

#include <algorithm>
#include <cassert>

namespace wattmesh::gdw376 {

namespace {

constexpr std::uint16_t all_ok = 1, all_denied = 2, each = 3, clock = 31, forward = 1;
constexpr std::uint32_t bauds[]{300, 600, 1'200, 2'400, 4'800, 7'200, 9'600, 19'200};

UnitHead item_of_terminal(std::uint16_t item) { return {.items = {item}}; }

Frame question(const Address& terminal, Afn afn, std::uint8_t function, std::uint8_t sequence) {
    Frame frame;
    frame.function = function;
    frame.address = terminal;
    frame.afn = afn;
    frame.sequence = sequence;
    return frame;
}

std::uint8_t serial_octet(const SerialSettings& serial) {
    const auto rate = std::ranges::find(bauds, serial.baud) - std::begin(bauds);
    assert(rate < 8 && serial.data_bits >= 5 && serial.data_bits <= 8 && serial.stop_bits >= 1 &&
           serial.stop_bits <= 2);
    const unsigned parity = serial.parity == SerialSettings::Parity::none   ? 0
                            : serial.parity == SerialSettings::Parity::even ? 0x08
                                                                            : 0x0C;
    return static_cast<std::uint8_t>(static_cast<unsigned>(rate) << 5 | (serial.stop_bits == 2 ? 0x10U : 0U) |
                                     parity | (serial.data_bits - 5U));
}

SerialSettings decode_serial(std::uint8_t octet) {
    using Parity = SerialSettings::Parity;
    const Parity parity = (octet & 0x08) == 0   ? Parity::none
                          : (octet & 0x04) == 0 ? Parity::even
                                                : Parity::odd;
    return {bauds[octet >> 5], static_cast<std::uint8_t>((octet & 3) + 5),
            static_cast<std::uint8_t>((octet & 0x10) != 0 ? 2 : 1), parity};
}

/// Below 1.28 s in steps of 10 ms, above in seconds.
std::uint8_t timeout_octet(std::chrono::milliseconds timeout) {
    const auto steps = (timeout.count() + 9) / 10;
    if (steps < 128) return static_cast<std::uint8_t>(steps);
    return static_cast<std::uint8_t>(0x80 | std::min<std::int64_t>((timeout.count() + 999) / 1'000, 127));
}

}  // namespace

std::optional<LinkItem> link_item(const Frame& frame) {
    if (frame.afn != Afn::link || !frame.from_terminal) return std::nullopt;
    Reader in{frame.units};
    const UnitHead head = decode_unit_head(in);
    if (!in.ok() || head.items.size() != 1 || head.items[0] > 3) return std::nullopt;
    return static_cast<LinkItem>(head.items[0]);
}

Frame link_frame(const Address& terminal, LinkItem item, std::uint8_t sequence) {
    Frame frame = question(terminal, Afn::link, function::link_test, sequence);
    frame.from_terminal = true;
    frame.confirm = true;
    Writer units;
    encode(units, item_of_terminal(static_cast<std::uint16_t>(item)));
    frame.units = units.take();
    return frame;
}

bool Confirmation::accepted() const {
    return !all_denied && std::ranges::all_of(errors, [](std::uint8_t error) { return error == 0; });
}

Result<Confirmation> decode_confirmation(const Frame& frame) {
    if (frame.afn != Afn::confirm) return Error{Fault::unexpected, 12};
    Reader in{frame.units};
    // Seen in the field: a DT of 3 for F3, so the mask is looked at and not the list of items.
    Confirmation out;
    const UnitHead head = decode_unit_head(in);
    const auto has = [&](std::uint16_t item) { return std::ranges::count(head.items, item) != 0; };
    if (has(each) || (has(all_ok) && has(all_denied))) {
        if (in.remaining() > 0) {
            in.u8();  // the AFN that is confirmed
            while (in.ok() && in.remaining() > 0) {
                decode_unit_head(in);
                out.errors.push_back(in.u8());
            }
        }
    } else {
        out.all_ok = has(all_ok);
        out.all_denied = has(all_denied);
        if (!out.all_ok && !out.all_denied) in.fail_at(Fault::bad_value, 2);
    }
    if (in.error()) return *in.error();
    return out;
}

Frame confirm(const Frame& asked, bool ok) {
    Frame frame = answer_to(asked, Afn::confirm);
    Writer units;
    encode(units, item_of_terminal(ok ? all_ok : all_denied));
    frame.units = units.take();
    return frame;
}

Frame request(const Address& terminal, Afn afn, const UnitHead& head, std::uint8_t sequence) {
    const auto function = afn == Afn::class_1 ? function::request_class_1 : function::request_class_2;
    Frame frame = question(terminal, afn, function, sequence);
    Writer units;
    encode(units, head);
    frame.units = units.take();
    return frame;
}

Frame set_clock(const Address& terminal, const WallTime& time, const Secret<16>& password,
                std::uint8_t sequence) {
    Frame frame = question(terminal, Afn::control, function::request_class_1, sequence);
    frame.confirm = true;
    Writer units;
    encode(units, item_of_terminal(clock));
    write_a1(units, time);
    frame.units = units.take();
    frame.password = password;
    return frame;
}

Frame relay(const Address& terminal, const RelayRequest& request, const Secret<16>& password,
            std::uint8_t sequence) {
    assert(request.port >= 1 && request.port <= 31 && request.octets.size() <= 1'000);
    Frame frame = question(terminal, Afn::relay, function::request_class_2, sequence);
    Writer units;
    encode(units, item_of_terminal(forward));
    units.u8(request.port).u8(serial_octet(request.serial)).u8(timeout_octet(request.answer_timeout));
    units.u8(
        static_cast<std::uint8_t>(std::min<std::int64_t>((request.octet_timeout.count() + 9) / 10, 255)));
    units.u16_le(static_cast<std::uint16_t>(request.octets.size())).bytes(request.octets);
    frame.units = units.take();
    frame.password = password;
    return frame;
}

Result<RelayRequest> decode_relay_request(const Frame& frame) {
    Reader in{frame.units};
    const UnitHead head = decode_unit_head(in);
    if (frame.afn != Afn::relay || head != item_of_terminal(forward)) in.fail_at(Fault::unexpected, 0);
    RelayRequest out;
    out.port = in.u8();
    out.serial = decode_serial(in.u8());
    const auto timeout = in.u8();
    out.answer_timeout = std::chrono::milliseconds{(timeout & 0x7F) * ((timeout & 0x80) != 0 ? 1'000 : 10)};
    out.octet_timeout = std::chrono::milliseconds{in.u8() * 10};
    out.octets = to_buffer(in.bytes(in.u16_le()));
    in.expect_end();
    if (in.error()) return *in.error();
    return out;
}

Result<RelayAnswer> decode_relay_answer(const Frame& frame) {
    if (frame.afn == Afn::confirm) {
        const auto confirmation = decode_confirmation(frame);
        if (!confirmation) return confirmation.error();
        return Error{confirmation->accepted() ? Fault::unexpected : Fault::refused, 0};
    }
    Reader in{frame.units};
    const UnitHead head = decode_unit_head(in);
    if (frame.afn != Afn::relay || head != item_of_terminal(forward)) in.fail_at(Fault::unexpected, 0);
    RelayAnswer out;
    out.port = in.u8();
    out.octets = to_buffer(in.bytes(in.u16_le()));
    in.expect_end();
    if (in.error()) return *in.error();
    return out;
}

Frame relay_answer(const Frame& asked, const RelayAnswer& answer) {
    Frame frame = answer_to(asked, Afn::relay);
    Writer units;
    encode(units, item_of_terminal(forward));
    units.u8(answer.port).u16_le(static_cast<std::uint16_t>(answer.octets.size())).bytes(answer.octets);
    frame.units = units.take();
    return frame;
}

}  // namespace wattmesh::gdw376
