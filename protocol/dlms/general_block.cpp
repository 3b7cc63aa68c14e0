#include "protocol/dlms/general_block.h"

#include <algorithm>
#include <cassert>

#include "protocol/base/reader.h"
#include "protocol/base/writer.h"
#include "protocol/dlms/data.h"

namespace wattmesh::dlms {

namespace {

constexpr std::uint8_t last_bit = 0x80, streaming_bit = 0x40, window_mask = 0x3F;
constexpr std::uint32_t number_max = 0xFFFF;

Buffer part_of(Bytes message, std::size_t index, std::size_t size) {
    const std::size_t start = index * size;
    return to_buffer(message.subspan(start, std::min(size, message.size() - start)));
}

}  // namespace

Buffer encode(const GeneralBlock& block) {
    assert(block.window <= general_block_window_max);
    Writer out;
    const auto control = (block.last ? last_bit : 0) | (block.streaming ? streaming_bit : 0) | block.window;
    out.u8(general_block_tag)
        .u8(static_cast<std::uint8_t>(control))
        .u16(block.number)
        .u16(block.acknowledged);
    encode_length(out, block.octets.size());
    out.bytes(block.octets);
    return out.take();
}

Result<GeneralBlock> decode_general_block(Bytes apdu) {
    Reader in{apdu};
    in.expect(general_block_tag);
    const std::uint8_t control = in.u8();
    GeneralBlock block{.last = (control & last_bit) != 0,
                       .streaming = (control & streaming_bit) != 0,
                       .window = static_cast<std::uint8_t>(control & window_mask),
                       .number = in.u16(),
                       .acknowledged = in.u16(),
                       .octets = {}};
    block.octets = to_buffer(in.bytes(decode_length(in)));
    in.expect_end();
    if (in.error()) return *in.error();
    return block;
}

std::size_t general_block_size(std::size_t raw) {
    Writer length;
    encode_length(length, raw);
    return 6 + length.size() + raw;  // tag, control, number, acknowledged number
}

void BlockTransfer::send(Buffer message) {
    assert(!message.empty() && !sending() && config_.block_size > 0);
    message_ = std::move(message);
    base_ = own_acknowledged_;
    blocks_ = static_cast<std::uint32_t>((message_.size() + config_.block_size - 1) / config_.block_size);
    assert(base_ + blocks_ < number_max);
    sent_ = acknowledged_ = sent_most_ = resends_ = 0;
    send_window();
}

void BlockTransfer::send_window() {
    const std::uint32_t window = std::max<std::uint32_t>(peer_window_, 1);
    const std::uint32_t end = std::min(blocks_, acknowledged_ + window);
    for (; sent_ < end; ++sent_) {
        const std::uint32_t number = base_ + sent_ + 1;
        if (sent_ < sent_most_) ++repeated_;
        output_.push_back({.last = sent_ + 1 == blocks_,
                           .streaming = sent_ + 1 < end,
                           .window = config_.window,
                           .number = static_cast<std::uint16_t>(number),
                           .acknowledged = static_cast<std::uint16_t>(received_),
                           .octets = part_of(message_, sent_, config_.block_size)});
        own_last_ = std::max(own_last_, number);
    }
    sent_most_ = std::max(sent_most_, sent_);
}

// An acknowledgement has the number that the peer expects next, and the peer counts it as received. After the
// whole message it has the last one again: the answer's first block is to have the next number, whatever got
// lost.
void BlockTransfer::acknowledge() {
    const std::uint32_t number = own_acknowledged_ + (complete_ ? 0 : 1);
    if (number > number_max) return;
    own_last_ = std::max(own_last_, number);
    output_.push_back({.last = true,
                       .streaming = false,
                       .window = config_.window,
                       .number = static_cast<std::uint16_t>(number),
                       .acknowledged = static_cast<std::uint16_t>(received_),
                       .octets = {}});
}

std::optional<Error> BlockTransfer::receive(const GeneralBlock& block) {
    if (block.acknowledged > own_last_) return Error{Fault::unexpected, 4};
    peer_window_ = block.window;
    own_acknowledged_ = std::max<std::uint32_t>(own_acknowledged_, block.acknowledged);
    const bool next = block.number == received_ + 1;
    const bool ends = block.last && next && !incoming_.empty();  // some peers end with an empty block
    const bool content = !block.octets.empty() || ends;
    if (!content && next && incoming_.empty()) ++received_;  // before anything is sent that says so
    if (sending())
        if (const auto error = take_acknowledgement(block)) return error;
    return content ? take_content(block, next) : std::nullopt;
}

std::optional<Error> BlockTransfer::take_acknowledgement(const GeneralBlock& block) {
    const std::uint32_t acknowledged = block.acknowledged > base_ ? block.acknowledged - base_ : 0;
    if (acknowledged > sent_most_) return Error{Fault::unexpected, 4};
    if (acknowledged > acknowledged_) {
        acknowledged_ = acknowledged;
        resends_ = 0;
    } else if (++resends_ > config_.resends_max) {
        return Error{Fault::refused, 0};
    }
    sent_ = acknowledged_;
    if (sending() && !block.streaming) send_window();
    return std::nullopt;
}

std::optional<Error> BlockTransfer::take_content(const GeneralBlock& block, bool next) {
    if (next && !complete_) {
        if (block.octets.size() > config_.transfer_size_max - incoming_.size())
            return Error{Fault::too_long, 7};
        if (incoming_.empty()) first_ = block.octets;
        incoming_.insert(incoming_.end(), block.octets.begin(), block.octets.end());
        ++received_;
        resends_ = 0;
        if (block.last) {
            complete_ = true;
            whole_ = incoming_;
            return std::nullopt;
        }
    } else if (!block.streaming && ++resends_ > config_.resends_max) {
        return Error{Fault::refused, 0};
    }
    if (!block.streaming && !sending()) acknowledge();
    return std::nullopt;
}

bool BlockTransfer::begins_anew(const GeneralBlock& block) const {
    return block.number == 1 && !block.octets.empty() && block.octets != first_;
}

std::optional<GeneralBlock> BlockTransfer::take_output() {
    if (output_.empty()) return std::nullopt;
    GeneralBlock block = std::move(output_.front());
    output_.pop_front();
    return block;
}

bool BlockTransfer::resume() {
    if (!open() || ++resends_ > config_.resends_max) return false;
    if (sending()) {
        sent_ = acknowledged_;
        send_window();
    } else {
        acknowledge();
    }
    return true;
}

std::vector<GeneralBlock> unconfirmed_blocks(Bytes message, std::size_t block_size) {
    assert(!message.empty() && block_size > 0);
    std::vector<GeneralBlock> blocks((message.size() + block_size - 1) / block_size);
    assert(blocks.size() <= number_max);
    for (std::size_t i = 0; i < blocks.size(); ++i)
        blocks[i] = {.last = i + 1 == blocks.size(),
                     .streaming = true,
                     .window = 0,
                     .number = static_cast<std::uint16_t>(i + 1),
                     .acknowledged = 0,
                     .octets = part_of(message, i, block_size)};
    return blocks;
}

std::optional<Buffer> BlockCollector::receive(const GeneralBlock& block) {
    if (block.number == 1) {
        if (next_ != none) ++dropped_;
        octets_.clear();
        next_ = 1;
    }
    const bool fits = block.number == next_ && block.octets.size() <= size_max_ - octets_.size();
    if (!fits || (block.octets.empty() && !block.last)) {
        if (next_ != none) ++dropped_;
        octets_.clear();
        next_ = none;
        return std::nullopt;
    }
    octets_.insert(octets_.end(), block.octets.begin(), block.octets.end());
    ++next_;
    if (!block.last) return std::nullopt;
    next_ = none;
    return std::exchange(octets_, {});
}

}  // namespace wattmesh::dlms
