#include "protocol/link/mbus.h"

#include <algorithm>
#include <cassert>
#include <numeric>
#include <utility>

#include "protocol/base/reader.h"
#include "protocol/base/writer.h"

namespace wattmesh::link {
namespace {

constexpr std::uint8_t start = 0x68, stop = 0x16;
constexpr std::size_t header_size = 4, trailer_size = 2, fixed_size = 3;  // 68 L L 68; CS 16; C A CI
constexpr std::uint8_t send_user_data = 0x53, frame_count_bit = 0x20, to_all_silent = 0xFF;
constexpr std::uint8_t last_segment = 0x10, segment_number = 0x0F, ci_max = 0x1F;
constexpr std::size_t sap_size = 2, part_size_max = mbus_data_size_max - sap_size, segments_max = 16;

std::uint8_t sum_of(Bytes bytes) {
    return static_cast<std::uint8_t>(std::accumulate(bytes.begin(), bytes.end(), 0U));
}

}  // namespace

Buffer encode_mbus(const MbusFrame& frame) {
    assert(frame.data.size() <= mbus_data_size_max);
    const auto length = static_cast<std::uint8_t>(fixed_size + frame.data.size());
    Writer out;
    out.u8(start).u8(length).u8(length).u8(start);
    out.u8(frame.control).u8(frame.address).u8(frame.ci).bytes(frame.data);
    return out.u8(sum_of(out.view().subspan(header_size))).u8(stop).take();
}

Result<MbusFrame> decode_mbus(Bytes bytes) {
    Reader in{bytes};
    in.expect(start);
    const std::uint8_t length = in.u8();
    in.expect(length, Fault::bad_value).expect(start);
    if (in.ok() && length < fixed_size) in.fail_at(Fault::bad_value, 1);
    const Bytes body = in.bytes(length);
    in.expect(sum_of(body), Fault::bad_checksum).expect(stop).expect_end();
    if (in.error()) return *in.error();
    return MbusFrame{body[0], body[1], body[2], to_buffer(body.subspan(fixed_size))};
}

void MbusDecoder::feed(Bytes bytes) { buffer_.insert(buffer_.end(), bytes.begin(), bytes.end()); }

std::optional<MbusFrame> MbusDecoder::next() {
    auto at = buffer_.begin();
    std::optional<MbusFrame> found;
    while (!found) {
        const auto noise_end = std::find(at, buffer_.end(), start);
        if (noise_end != at && !std::exchange(in_noise_, true)) ++refused_;
        if (noise_end != buffer_.end()) in_noise_ = false;
        at = noise_end;
        const auto available = static_cast<std::size_t>(buffer_.end() - at);
        if (available < header_size) break;
        const bool plausible = at[1] == at[2] && at[3] == start && at[1] >= fixed_size;
        const std::size_t size = header_size + at[1] + trailer_size;
        if (plausible && available < size) break;
        auto frame =
            plausible ? decode_mbus(Bytes{&*at, size}) : Result<MbusFrame>{Error{Fault::bad_value, 1}};
        if (frame) {
            found = std::move(*frame);
            at += static_cast<std::ptrdiff_t>(size);
        } else {
            ++at;  // 68 may be data: look for a frame right behind it
            if (!std::exchange(in_noise_, true)) ++refused_;
        }
    }
    buffer_.erase(buffer_.begin(), at);
    return found;
}

std::vector<Buffer> encode_mbus_push(const MbusPush& push, std::size_t part_size) {
    assert(part_size >= 1 && part_size <= part_size_max && push.apdu.size() <= segments_max * part_size);
    std::vector<Buffer> frames;
    for (Bytes rest = push.apdu; !rest.empty();) {
        const Bytes part = rest.first(std::min(rest.size(), part_size));
        rest = rest.subspan(part.size());
        const auto ci = static_cast<std::uint8_t>(frames.size() | (rest.empty() ? last_segment : 0U));
        MbusFrame frame{send_user_data, to_all_silent, ci, {push.source, push.destination}};
        frame.data.insert(frame.data.end(), part.begin(), part.end());
        frames.push_back(encode_mbus(frame));
    }
    return frames;
}

void MbusPushReceiver::feed(Bytes bytes, Instant now) {
    if (now - last_at_ > config_.gap_max) {
        if (std::exchange(set_, std::nullopt)) ++counters_.late;
        decoder_.reset();  // a frame does not pause that long either
    }
    last_at_ = now;
    decoder_.feed(bytes);
    while (const auto frame = decoder_.next()) on_frame(*frame);
}

void MbusPushReceiver::on_frame(const MbusFrame& frame) {
    const bool push = (frame.control & ~frame_count_bit) == send_user_data && frame.ci <= ci_max;
    if (!push || frame.data.size() <= sap_size) {
        ++counters_.refused_frames;
        return;
    }
    const std::uint8_t segment = frame.ci & segment_number;
    if (segment == 0) {
        if (set_) ++counters_.restarted;
        set_ = MbusPush{frame.data[0], frame.data[1], {}};
        next_segment_ = 0;
    }
    const bool same = set_ && set_->source == frame.data[0] && set_->destination == frame.data[1];
    if (!same || segment != next_segment_) {
        ++counters_.out_of_order;
        set_.reset();
        return;
    }
    const Bytes part = Bytes{frame.data}.subspan(sap_size);
    if (set_->apdu.size() + part.size() > config_.apdu_size_max) {
        ++counters_.oversized;
        set_.reset();
        return;
    }
    set_->apdu.insert(set_->apdu.end(), part.begin(), part.end());
    ++next_segment_;
    if ((frame.ci & last_segment) == 0) return;
    if (waiting_.size() < config_.waiting_max)
        waiting_.push_back(std::move(*set_));
    else
        ++counters_.overflowed;
    set_.reset();
}

std::optional<MbusPush> MbusPushReceiver::take() {
    if (waiting_.empty()) return std::nullopt;
    MbusPush push = std::move(waiting_.front());
    waiting_.pop_front();
    return push;
}

MbusCounters MbusPushReceiver::counters() const {
    MbusCounters counters = counters_;
    counters.refused_frames += decoder_.refused();
    return counters;
}

}  // namespace wattmesh::link
