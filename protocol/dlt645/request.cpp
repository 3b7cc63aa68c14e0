#include "protocol/dlt645/request.h"

#include <algorithm>

#include "protocol/base/reader.h"

namespace wattmesh::dlt645 {

namespace {

void append(Buffer& out, const Buffer& more) { out.insert(out.end(), more.begin(), more.end()); }

Buffer id_octets(DataId id) {
    Buffer out;
    for (int shift = 0; shift < 32; shift += 8) out.push_back(static_cast<std::uint8_t>(id >> shift));
    return out;
}

/// ss mm hh DD MM YY.
Buffer time_octets(const LocalTime& time) {
    Buffer out;
    const auto year = static_cast<unsigned>(static_cast<int>(time.date.year()) % 100);
    for (const unsigned part :
         {unsigned{time.second}, unsigned{time.minute}, unsigned{time.hour},
          static_cast<unsigned>(time.date.day()), static_cast<unsigned>(time.date.month()), year})
        append(out, encode_bcd(part, 1));
    return out;
}

/// Whether an answer from `answered` may be to a question to `asked`.
bool is_from(const Address& answered, const Address& asked) {
    return std::ranges::equal(
        asked, answered, [](std::uint8_t want, std::uint8_t got) { return want == 0xAA || want == got; });
}

}  // namespace

Frame read(const Address& meter, DataId id) {
    return {.address = meter, .function = Function::read, .data = id_octets(id)};
}

Frame read_next(const Address& meter, DataId id, std::uint8_t sequence) {
    Frame frame{.address = meter, .function = Function::read_next, .data = id_octets(id)};
    frame.data.push_back(sequence);
    return frame;
}

Frame read_address() { return {.address = any_address, .function = Function::read_address, .data = {}}; }

Frame set_time(const Address& meter, const LocalTime& time) {
    return {.address = meter, .function = Function::broadcast_time, .data = time_octets(time)};
}

Frame control_relay(const Address& meter, const Secret<4>& password, std::uint32_t operator_code,
                    RelayCommand command, const LocalTime& valid_until) {
    Frame frame{.address = meter, .function = Function::control_relay, .data = to_buffer(password.reveal())};
    append(frame.data, id_octets(operator_code));
    frame.data.push_back(static_cast<std::uint8_t>(command));
    frame.data.push_back(0);  // N2, reserved
    append(frame.data, time_octets(valid_until));
    return frame;
}

std::string_view to_string(const Refused& refused) {
    constexpr std::string_view words[]{
        "other error",         "no such data",       "wrong password or no right", "baud rate not possible",
        "too many year zones", "too many day slots", "too many tariffs",           "reserved error bit"};
    for (std::size_t bit = 0; bit < std::size(words); ++bit)
        if ((refused.errors >> bit & 1U) != 0) return words[bit];
    return "refused without a reason";
}

Result<Answer> take_answer(const Frame& frame, const Frame& asked) {
    if (!frame.from_meter || !is_from(frame.address, asked.address)) return Error{Fault::unexpected, 1};
    if (frame.function != asked.function) return Error{Fault::unexpected, 8};
    if (frame.error) {
        if (frame.data.empty()) return Error{Fault::truncated, 10};
        return Answer{Refused{frame.data[0]}};
    }
    const bool next = asked.function == Function::read_next;
    if (asked.function == Function::read_address) return Answer{ReadData{frame.data, false}};
    if (asked.function != Function::read && !next) return Answer{Done{}};
    // The identifier comes back in front of the data, of read_next the sequence behind them.
    Reader in{frame.data};
    for (std::size_t i = 0; i < 4; ++i) in.expect(asked.data[i], Fault::unexpected);
    Buffer octets = to_buffer(in.rest());
    if (in.error()) return *in.error();
    if (next) {
        if (octets.empty()) return Error{Fault::truncated, 14};
        if (octets.back() != asked.data[4]) return Error{Fault::unexpected, 14};
        octets.pop_back();
    }
    return Answer{ReadData{std::move(octets), frame.more_follows}};
}

}  // namespace wattmesh::dlt645
