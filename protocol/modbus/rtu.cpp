#include "protocol/modbus/rtu.h"

#include <algorithm>
#include <array>
#include <cassert>

namespace wattmesh::modbus {

namespace {

constexpr std::size_t crc_size = 2, exception_frame_size = 5;
constexpr std::size_t noise_max = 4'096;

constexpr std::array<std::uint16_t, 256> make_table() {
    std::array<std::uint16_t, 256> table{};
    for (unsigned octet = 0; octet < 256; ++octet) {
        unsigned crc = octet;
        for (int bit = 0; bit < 8; ++bit) crc = (crc & 1U) != 0 ? crc >> 1 ^ 0xA001U : crc >> 1;
        table[octet] = static_cast<std::uint16_t>(crc);
    }
    return table;
}
constexpr auto table = make_table();

bool crc_fits(Bytes frame) {
    const auto crc = crc16(frame.first(frame.size() - crc_size));
    return frame[frame.size() - 2] == static_cast<std::uint8_t>(crc) &&
           frame[frame.size() - 1] == static_cast<std::uint8_t>(crc >> 8);
}

/// Octets of the request frame that begins here; 0: more octets are needed to tell; nothing: no request
/// begins so.
std::optional<std::size_t> request_size(Bytes octets) {
    if (octets.size() < 2) return 0;
    if (octets[0] > unit_max) return std::nullopt;
    switch (static_cast<Function>(octets[1])) {
        case Function::read_coils:
        case Function::read_discrete_inputs:
        case Function::read_holding_registers:
        case Function::read_input_registers:
        case Function::write_single_coil:
        case Function::write_single_register:
            return 8;
        case Function::write_multiple_coils:
        case Function::write_multiple_registers: {
            if (octets.size() < 7) return 0;
            const std::size_t size = 9U + octets[6];
            if (size > rtu_frame_size_max) return std::nullopt;
            return size;
        }
    }
    return std::nullopt;
}

}  // namespace

std::uint16_t crc16(Bytes octets) {
    std::uint16_t crc = 0xFFFF;
    for (const auto octet : octets)
        crc = static_cast<std::uint16_t>(crc >> 8 ^ table[static_cast<std::uint8_t>(crc ^ octet)]);
    return crc;
}

Buffer encode_rtu(std::uint8_t unit, Bytes pdu) {
    assert(!pdu.empty() && pdu.size() <= pdu_size_max);
    Buffer out{unit};
    out.insert(out.end(), pdu.begin(), pdu.end());
    const auto crc = crc16(out);
    out.push_back(static_cast<std::uint8_t>(crc));
    out.push_back(static_cast<std::uint8_t>(crc >> 8));
    return out;
}

void RtuAnswerFinder::open(std::uint8_t unit, const Request& request) {
    assert(unit != broadcast_unit);
    drop(buffer_.size());
    unit_ = unit;
    request_ = request;
}

void RtuAnswerFinder::drop(std::size_t count) {
    const auto end = buffer_.begin() + static_cast<std::ptrdiff_t>(count);
    noise_.insert(noise_.end(), buffer_.begin(), end);
    buffer_.erase(buffer_.begin(), end);
    // Who never takes the noise hears the newest of it only.
    if (noise_.size() > noise_max)
        noise_.erase(noise_.begin(), noise_.end() - static_cast<std::ptrdiff_t>(noise_max));
}

void RtuAnswerFinder::feed(Bytes octets) {
    buffer_.insert(buffer_.end(), octets.begin(), octets.end());
    if (!request_) drop(buffer_.size());
}

Buffer RtuAnswerFinder::take_noise() { return std::exchange(noise_, {}); }

/// Whether an answer may begin at `at`; `size` is how long it would be, as far as it is known.
bool RtuAnswerFinder::could_begin(std::size_t at, std::size_t& size) const {
    const auto function = static_cast<std::uint8_t>(function_of(*request_));
    size = 1 + response_size(*request_) + crc_size;
    if (buffer_[at] != unit_) return false;
    if (at + 1 == buffer_.size()) return true;
    if (buffer_[at + 1] == (function | exception_bit)) {
        size = exception_frame_size;
        return true;
    }
    if (buffer_[at + 1] != function) return false;
    if (!std::holds_alternative<Read>(*request_) || at + 2 == buffer_.size()) return true;
    return buffer_[at + 2] == response_size(*request_) - 2;
}

std::optional<Result<Response>> RtuAnswerFinder::next() {
    if (!request_) return std::nullopt;
    // An unfinished beginning does not hide a whole answer behind it: a heartbeat may look like one.
    std::optional<std::size_t> unfinished;
    for (std::size_t at = 0; at < buffer_.size(); ++at) {
        std::size_t size = 0;
        if (!could_begin(at, size)) continue;
        if (buffer_.size() - at < size) {
            if (!unfinished) unfinished = at;
            continue;
        }
        const Bytes frame = Bytes{buffer_}.subspan(at, size);
        if (!crc_fits(frame)) continue;
        auto response = decode_response(frame.subspan(1, size - 1 - crc_size), *request_);
        const Buffer rest{buffer_.begin() + static_cast<std::ptrdiff_t>(at + size), buffer_.end()};
        buffer_.resize(at);
        buffer_.insert(buffer_.end(), rest.begin(), rest.end());
        drop(buffer_.size());
        request_.reset();
        return response;
    }
    drop(unfinished.value_or(buffer_.size()));
    return std::nullopt;
}

void RtuRequestDecoder::feed(Bytes octets) { buffer_.insert(buffer_.end(), octets.begin(), octets.end()); }

std::optional<RtuFrame> RtuRequestDecoder::next() {
    std::size_t at = 0;
    std::optional<RtuFrame> found;
    for (; at < buffer_.size(); ++at) {
        const Bytes rest = Bytes{buffer_}.subspan(at);
        const auto size = request_size(rest);
        if (!size) continue;
        if (*size == 0 || rest.size() < *size) break;
        if (!crc_fits(rest.first(*size))) continue;
        found = RtuFrame{rest[0], to_buffer(rest.subspan(1, *size - 1 - crc_size))};
        skipped_ += at;
        buffer_.erase(buffer_.begin(), buffer_.begin() + static_cast<std::ptrdiff_t>(at + *size));
        return found;
    }
    skipped_ += at;
    buffer_.erase(buffer_.begin(), buffer_.begin() + static_cast<std::ptrdiff_t>(at));
    return std::nullopt;
}

void RtuRequestDecoder::silence() {
    skipped_ += buffer_.size();
    buffer_.clear();
}

}  // namespace wattmesh::modbus
