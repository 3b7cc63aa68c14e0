#include <algorithm>

#include "protocol/mesh/node.h"

/// A firmware image comes by: blocks are kept, and passed on by who has somebody below.
namespace wattmesh::mesh {
namespace {
using namespace std::chrono_literals;
// Copies heard after which everybody around has it, most likely; within how many frames a copy is sent.
constexpr int copies_enough = 3;
constexpr std::int64_t spread_frames = 8;
constexpr Duration flood_life = 30s;
constexpr std::size_t floods_max = 16;
}  // namespace

void Node::image_block_heard(const Arrival& arrival, Instant now) {
    auto block = decode_image_block(arrival.frame.body);
    if (!block) return;
    images_.heard(block->piece, ciphers_);
    std::erase_if(floods_, [&](const Flood& flood) { return now - flood.heard > flood_life; });
    const auto known = std::find_if(floods_.begin(), floods_.end(), [&](const Flood& flood) {
        return flood.image == block->piece.image && flood.index == block->piece.index &&
               flood.pass == block->pass;
    });
    if (known != floods_.end()) {
        if (++known->copies >= copies_enough) known->send_at = never;
        return;
    }
    if (floods_.size() >= floods_max) floods_.erase(floods_.begin());
    Flood flood{.image = block->piece.image,
                .index = block->piece.index,
                .pass = block->pass,
                .copies = 1,
                .heard = now};
    const bool below = std::any_of(neighbours_.all().begin(), neighbours_.all().end(),
                                   [&](const Neighbour& one) { return one.child_until > now; });
    if (attached() && below && block->time_to_live > 1) {
        --block->time_to_live;
        flood.body = encode(*block);
        flood.send_at = now + spread(airtime(psdu_size_max, settings_.rate) * spread_frames);
    }
    floods_.push_back(std::move(flood));
}

void Node::pass_blocks_on(Instant now) {
    for (auto& flood : floods_) {
        if (now < flood.send_at) continue;
        flood.send_at = never;
        mac_.send({.destination = broadcast_address,
                   .type = FrameType::image_block,
                   .priority = priority_bulk,
                   .lifetime = flood_life / 8,
                   .tag = 0,
                   .body = std::move(flood.body)},
                  now);
        flood.body = {};
    }
}

Instant Node::pass_on_at() const {
    Instant next = never;
    for (const auto& flood : floods_) next = std::min(next, flood.send_at);
    return next;
}

/// The answer to an image_request. Nothing: it is malformed.
std::optional<Buffer> Node::image_asked(Bytes body) {
    const auto request = decode_image_request(body);
    if (!request) return std::nullopt;
    if (const auto* offer = std::get_if<ImageOffer>(&*request))
        return encode(
            images_.offered(*offer, authentic(*offer, state_.pan, settings_.join_key, ciphers_), ciphers_));
    images_.heard(std::get<ImagePiece>(*request), ciphers_);
    return encode(images_.status(false));
}

}  // namespace wattmesh::mesh
