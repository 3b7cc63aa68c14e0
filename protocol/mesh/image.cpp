#include "protocol/mesh/image.h"

#include <algorithm>
#include <cassert>

#include "protocol/base/reader.h"
#include "protocol/base/writer.h"

namespace wattmesh::mesh {
namespace {

constexpr std::uint8_t kind_offer = 1, kind_piece = 2;

void put(Writer& out, const ImagePiece& piece) {
    assert(!piece.octets.empty() && piece.octets.size() <= image_block_size);
    out.u32(piece.image).u16(piece.index).bytes(piece.octets);
}

ImagePiece get_piece(Reader& in) {
    ImagePiece piece;
    piece.image = in.u32();
    piece.index = in.u16();
    if (piece.index >= image_blocks_max) in.fail(Fault::bad_value);
    const Bytes octets = in.rest();
    if (octets.empty()) in.fail(Fault::truncated);
    if (octets.size() > image_block_size) in.fail(Fault::too_long);
    piece.octets = to_buffer(octets);
    return piece;
}

ImageOffer get_offer(Reader& in) {
    ImageOffer offer;
    offer.number = in.u32();
    offer.size = in.u32();
    if (offer.size == 0 || offer.size > image_size_max) in.fail(Fault::bad_value);
    offer.sha256 = in.array<32>();
    offer.mac = in.array<8>();
    return offer;
}

JoinMac offer_mac(const ImageOffer& offer, std::uint16_t pan, const Key128& join_key, Ciphers& ciphers) {
    Writer out;
    out.bytes(as_bytes("WMJ4")).u16(pan).u32(offer.number).u32(offer.size).bytes(offer.sha256);
    const auto full = ciphers.mac(join_key)->compute(out.view());
    JoinMac mac{};
    std::copy_n(full.begin(), mac.size(), mac.begin());
    return mac;
}

}  // namespace

std::uint32_t ImageOffer::image() const {
    return std::uint32_t{sha256[0]} << 24 | std::uint32_t{sha256[1]} << 16 | std::uint32_t{sha256[2]} << 8 |
           sha256[3];
}

void sign(ImageOffer& offer, std::uint16_t pan, const Key128& join_key, Ciphers& ciphers) {
    offer.mac = offer_mac(offer, pan, join_key, ciphers);
}

bool authentic(const ImageOffer& offer, std::uint16_t pan, const Key128& join_key, Ciphers& ciphers) {
    return equal_constant_time(offer_mac(offer, pan, join_key, ciphers), offer.mac);
}

Buffer encode(const ImageRequest& request) {
    Writer out;
    if (const auto* offer = std::get_if<ImageOffer>(&request)) {
        out.u8(kind_offer).u32(offer->number).u32(offer->size).bytes(offer->sha256).bytes(offer->mac);
    } else {
        out.u8(kind_piece);
        put(out, std::get<ImagePiece>(request));
    }
    return out.take();
}

Result<ImageRequest> decode_image_request(Bytes body) {
    Reader in{body};
    ImageRequest request;
    const auto kind = in.u8();
    if (kind == kind_offer)
        request = get_offer(in);
    else if (kind == kind_piece)
        request = get_piece(in);
    else
        in.fail_at(Fault::bad_tag, 0);
    in.expect_end();
    if (in.error()) return *in.error();
    return request;
}

Buffer encode(const ImageBlock& block) {
    Writer out;
    out.u8(block.pass).u8(block.time_to_live);
    put(out, block.piece);
    return out.take();
}

Result<ImageBlock> decode_image_block(Bytes body) {
    Reader in{body};
    ImageBlock block;
    block.pass = in.u8();
    block.time_to_live = in.u8();
    block.piece = get_piece(in);
    if (in.error()) return *in.error();
    return block;
}

Buffer encode(const ImageStatus& status) {
    Writer out;
    out.u8(static_cast<std::uint8_t>(status.state)).u32(status.image).u16(status.missing);
    if (status.trouble != ImageTrouble::none) out.u8(static_cast<std::uint8_t>(status.trouble));
    if (status.first_missing.empty()) return out.take();
    const auto first = status.first_missing.front();
    const std::size_t span = status.first_missing.back() - first + 1U;
    assert(span <= image_window);
    Buffer bits((span + 7) / 8, 0);
    for (const auto index : status.first_missing) {
        const auto at = static_cast<std::size_t>(index - first);
        bits[at / 8] = static_cast<std::uint8_t>(bits[at / 8] | 0x80U >> at % 8);
    }
    out.u16(first).bytes(bits);
    return out.take();
}

Result<ImageStatus> decode_image_status(Bytes body) {
    Reader in{body};
    ImageStatus status;
    const auto state = in.u8();
    if (state > static_cast<std::uint8_t>(ImageState::refused)) in.fail_at(Fault::bad_value, 0);
    status.state = static_cast<ImageState>(state);
    status.image = in.u32();
    status.missing = in.u16();
    if (status.missing > image_blocks_max || (status.missing != 0 && status.state != ImageState::receiving))
        in.fail(Fault::bad_value);
    const bool ended = status.state == ImageState::failed || status.state == ImageState::refused;
    if (in.ok() && ended && in.remaining() > 0) {
        const auto trouble = in.u8();
        if (trouble == 0 || trouble > static_cast<std::uint8_t>(image_trouble_last))
            in.fail(Fault::bad_value);
        status.trouble = static_cast<ImageTrouble>(trouble);
        in.expect_end();
    } else if (in.ok() && in.remaining() > 0) {
        const auto first = in.u16();
        const Bytes bits = in.rest();
        if (bits.size() > image_window / 8) in.fail(Fault::too_long);
        // One way to write a set: it begins with its first member and ends with the octet of its last.
        if (bits.empty() || (bits[0] & 0x80) == 0 || bits.back() == 0) in.fail(Fault::bad_value);
        for (std::size_t at = 0; in.ok() && at < bits.size() * 8; ++at)
            if ((bits[at / 8] & 0x80U >> at % 8) != 0)
                status.first_missing.push_back(
                    static_cast<std::uint16_t>(std::min<std::size_t>(first + at, 0xFFFF)));
        if (!status.first_missing.empty() && status.first_missing.back() >= image_blocks_max)
            in.fail(Fault::bad_value);
        if (status.first_missing.size() > status.missing) in.fail(Fault::bad_value);
    }
    if (in.error()) return *in.error();
    return status;
}

}  // namespace wattmesh::mesh
