#pragma once
#include <array>
#include <cstdint>
#include <optional>
#include <variant>
#include <vector>

#include "protocol/base/cipher.h"
#include "protocol/base/result.h"
#include "protocol/mesh/network.h"

/// A firmware image on its way down the mesh. Source: protocol/mesh/README.md. Big endian. The image is
/// opaque here: the vendor's signed file (protocol/cosem/image_file.h), cut into blocks.
namespace wattmesh::mesh {

/// Fits a frame over any route: 14 relays, an octet of kind, image and index.
inline constexpr std::size_t image_block_size = 180;
inline constexpr std::size_t image_blocks_max = 4'096, image_size_max = image_block_size * image_blocks_max;

/// What is to come. Under the meter's join key, so that nobody who only has the net key can begin one.
struct ImageOffer {
    std::uint32_t number = 0;  ///< of the distribution; an offer of another image needs a higher one
    std::uint32_t size = 0;    ///< octets, 1 to image_size_max
    std::array<std::uint8_t, 32> sha256{};  ///< of the whole
    JoinMac mac{};
    friend bool operator==(const ImageOffer&, const ImageOffer&) = default;

    std::size_t blocks() const { return (std::size_t{size} + image_block_size - 1) / image_block_size; }
    /// Octets of this block: all have image_block_size but the last.
    std::size_t block_size(std::size_t index) const {
        return index + 1 < blocks() ? image_block_size : size - index * image_block_size;
    }
    /// How blocks and answers name the image: the first octets of its digest.
    std::uint32_t image() const;
};
void sign(ImageOffer& offer, std::uint16_t pan, const Key128& join_key, Ciphers& ciphers);
[[nodiscard]] bool authentic(const ImageOffer& offer, std::uint16_t pan, const Key128& join_key,
                             Ciphers& ciphers);

/// One block for one meter.
struct ImagePiece {
    std::uint32_t image = 0;
    std::uint16_t index = 0;
    Buffer octets;  ///< 1 to image_block_size
    friend bool operator==(const ImagePiece&, const ImagePiece&) = default;
};
/// Body of image_request.
using ImageRequest = std::variant<ImageOffer, ImagePiece>;

/// Body of image_block: a piece for everybody, in the `pass` of this image through the mesh.
struct ImageBlock {
    std::uint8_t pass = 0;
    std::uint8_t time_to_live = 15;
    ImagePiece piece;
    friend bool operator==(const ImageBlock&, const ImageBlock&) = default;
};

enum class ImageState : std::uint8_t {
    receiving = 0,
    verified = 1,  ///< digest and signature are right; the meter has it, to be activated
    failed = 2,    ///< all is there, and it is not what the vendor signed
    refused = 3,   ///< not for this meter: no room, another model, an older distribution, a wrong MAC
};
/// Why it failed or was refused. The words for people are in protocol/dcu/firmware.h.
enum class ImageTrouble : std::uint8_t {
    none = 0,
    no_room = 1,        ///< the meter keeps no images, or none of this size
    not_authentic = 2,  ///< the offer's MAC
    superseded = 3,     ///< there is an image of a later distribution
    not_signed = 4,     ///< not by a vendor that the meter knows, or no image file
    other_model = 5,
};
inline constexpr ImageTrouble image_trouble_last = ImageTrouble::other_model;

/// Payload of the answer to an image_request.
struct ImageStatus {
    ImageState state{};
    std::uint32_t image = 0;
    std::uint16_t missing = 0;  ///< blocks; 0 unless receiving
    /// Ascending; in answers to an offer: those within image_window of the first.
    std::vector<std::uint16_t> first_missing{};
    /// Of failed and refused only; none: a meter of an earlier version, which does not say.
    ImageTrouble trouble = ImageTrouble::none;
    friend bool operator==(const ImageStatus&, const ImageStatus&) = default;
};
inline constexpr std::size_t image_window = 1'440;

Buffer encode(const ImageRequest& request);
Buffer encode(const ImageBlock& block);
Buffer encode(const ImageStatus& status);
Result<ImageRequest> decode_image_request(Bytes body);
Result<ImageBlock> decode_image_block(Bytes body);
Result<ImageStatus> decode_image_status(Bytes body);

}  // namespace wattmesh::mesh
