#include "protocol/link/tunnel.h"

#include <algorithm>
#include <cassert>

#include "protocol/base/reader.h"
#include "protocol/base/writer.h"

namespace wattmesh::link {
namespace {

constexpr std::uint8_t open_tag = 1, opened_tag = 2, data_tag = 3, credit_tag = 4, close_tag = 5;

}  // namespace

std::string_view to_string(TunnelReason reason) {
    switch (reason) {
        case TunnelReason::done:
            return "done";
        case TunnelReason::uplink_down:
            return "uplink_down";
        case TunnelReason::not_configured:
            return "not_configured";
        case TunnelReason::busy:
            return "busy";
        case TunnelReason::vending_down:
            return "vending_down";
        case TunnelReason::line:
            return "line";
        case TunnelReason::not_tls:
            return "not_tls";
        case TunnelReason::too_long:
            return "too_long";
    }
    return "?";
}

std::uint16_t tunnel_of(const TunnelMessage& message) {
    return std::visit([](const auto& some) { return some.tunnel; }, message);
}

void set_tunnel(TunnelMessage& message, std::uint16_t tunnel) {
    std::visit([tunnel](auto& some) { some.tunnel = tunnel; }, message);
}

Buffer encode_tunnel(const TunnelMessage& message) {
    Writer out;
    const auto limited = [&out](std::uint8_t tag, std::uint16_t tunnel, std::uint32_t number) {
        out.u8(tag).u16(tunnel).u32(number);
    };
    if (const auto* open = std::get_if<TunnelOpen>(&message)) limited(open_tag, open->tunnel, open->limit);
    if (const auto* opened = std::get_if<TunnelOpened>(&message))
        limited(opened_tag, opened->tunnel, opened->limit);
    if (const auto* data = std::get_if<TunnelData>(&message)) {
        assert(!data->octets.empty() && data->octets.size() <= tunnel_chunk_max);
        limited(data_tag, data->tunnel, data->offset);
        out.bytes(data->octets);
    }
    if (const auto* credit = std::get_if<TunnelCredit>(&message))
        limited(credit_tag, credit->tunnel, credit->limit);
    if (const auto* close = std::get_if<TunnelClose>(&message))
        out.u8(close_tag).u16(close->tunnel).u8(static_cast<std::uint8_t>(close->reason));
    return out.take();
}

Result<TunnelMessage> decode_tunnel(Bytes payload) {
    Reader in{payload};
    const auto tag = in.u8();
    const auto tunnel = in.u16();
    TunnelMessage message;
    if (tag == close_tag) {
        const auto reason = in.u8();
        if (reason > static_cast<std::uint8_t>(TunnelReason::too_long)) in.fail_at(Fault::bad_value, 3);
        message = TunnelClose{tunnel, static_cast<TunnelReason>(reason)};
    } else if (tag >= open_tag && tag <= credit_tag) {
        const auto number = in.u32();
        if (number > tunnel_octets_max + tunnel_window) in.fail_at(Fault::bad_value, 3);
        if (tag == open_tag) message = TunnelOpen{tunnel, number};
        if (tag == opened_tag) message = TunnelOpened{tunnel, number};
        if (tag == credit_tag) message = TunnelCredit{tunnel, number};
        if (tag == data_tag) {
            if (in.ok() && in.remaining() == 0) in.fail(Fault::truncated);
            if (in.remaining() > tunnel_chunk_max) in.fail(Fault::too_long);
            message = TunnelData{tunnel, number, to_buffer(in.rest())};
        }
    } else {
        in.fail_at(Fault::bad_tag, 0);
    }
    in.expect_end();
    if (in.error()) return *in.error();
    return message;
}

void TunnelEnd::push(Bytes octets) { waiting_.insert(waiting_.end(), octets.begin(), octets.end()); }

std::optional<TunnelData> TunnelEnd::take_data() {
    const std::size_t count = std::min({waiting_.size(), tunnel_chunk_max, std::size_t{allowed_ - sent_}});
    if (count == 0) return std::nullopt;
    const auto end = waiting_.begin() + static_cast<std::ptrdiff_t>(count);
    TunnelData data{tunnel_, sent_, {waiting_.begin(), end}};
    waiting_.erase(waiting_.begin(), end);
    sent_ += static_cast<std::uint32_t>(count);
    return data;
}

/// Never further than one window ahead, whatever the other end says: it is our link that the octets fill.
void TunnelEnd::allow(std::uint32_t limit) {
    const auto most = std::min<std::uint32_t>(sent_ + tunnel_window, tunnel_octets_max);
    allowed_ = std::max(allowed_, std::min(limit, most));
}

bool TunnelEnd::received(const TunnelData& data) {
    if (data.offset != received_ || data.octets.size() > granted_ - received_) return false;
    received_ += static_cast<std::uint32_t>(data.octets.size());
    return true;
}

std::optional<TunnelCredit> TunnelEnd::passed_on(std::size_t count) {
    passed_ += static_cast<std::uint32_t>(count);
    assert(passed_ <= received_);
    const auto limit = std::min<std::uint32_t>(passed_ + tunnel_window, tunnel_octets_max);
    if (limit - granted_ < tunnel_window / 4) return std::nullopt;
    granted_ = limit;
    return TunnelCredit{tunnel_, granted_};
}

bool TunnelEnd::spent() const {
    return received_ >= tunnel_octets_max || (sent_ >= tunnel_octets_max && !waiting_.empty());
}

}  // namespace wattmesh::link
