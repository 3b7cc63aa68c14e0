#include "protocol/mesh/image_receiver.h"

namespace wattmesh::mesh {
namespace {
ImageStatus refusal(const ImageOffer& offer, ImageTrouble why) {
    return {.state = ImageState::refused, .image = offer.image(), .trouble = why};
}
}  // namespace

ImageStatus ImageReceiver::offered(const ImageOffer& offer, bool authentic, Ciphers& ciphers) {
    if (!authentic) return refusal(offer, ImageTrouble::not_authentic);
    if (flash_ == nullptr) return refusal(offer, ImageTrouble::no_room);
    const auto known = flash_->offer();
    const bool same = known && known->sha256 == offer.sha256 && known->size == offer.size;
    if (known && !same && offer.number <= known->number) return refusal(offer, ImageTrouble::superseded);
    if (same && offer.number > known->number) flash_->renumber(offer.number);
    if (!same && !flash_->begin(offer)) return refusal(offer, ImageTrouble::no_room);
    // The power went between the last block and the look at the whole.
    if (same && flash_->state() == ImageState::receiving) complete(*known, ciphers);
    return status(true);
}

void ImageReceiver::heard(const ImagePiece& piece, Ciphers& ciphers) {
    if (flash_ == nullptr || flash_->state() != ImageState::receiving) return;
    const auto offer = flash_->offer();
    if (!offer || piece.image != offer->image() || piece.index >= offer->blocks() ||
        piece.octets.size() != offer->block_size(piece.index) || flash_->holds(piece.index))
        return;
    flash_->keep(piece.index, piece.octets);
    complete(*offer, ciphers);
}

/// Blocks are covered by the net key only: whoever has that can spoil one, which the digest finds, and then
/// all come again; the signature is the vendor's alone.
void ImageReceiver::complete(const ImageOffer& offer, Ciphers& ciphers) {
    for (std::size_t i = 0; i < offer.blocks(); ++i)
        if (!flash_->holds(static_cast<std::uint16_t>(i))) return;
    const Buffer digest = ciphers.digest(Digest::sha256, flash_->octets().first(offer.size));
    if (!equal_constant_time(digest, offer.sha256)) {
        ++spoiled_;
        return flash_->erase();
    }
    (void)flash_->take_over();
}

ImageStatus ImageReceiver::status(bool with_window) const {
    const auto offer = flash_ == nullptr ? std::nullopt : flash_->offer();
    if (!offer) return {.state = ImageState::refused, .trouble = ImageTrouble::no_room};
    ImageStatus status{.state = flash_->state(), .image = offer->image()};
    if (status.state == ImageState::failed) status.trouble = flash_->trouble();
    if (status.state != ImageState::receiving) return status;
    for (std::size_t i = 0; i < offer->blocks(); ++i) {
        const auto index = static_cast<std::uint16_t>(i);
        if (flash_->holds(index)) continue;
        ++status.missing;
        const bool within = status.first_missing.empty() || i < status.first_missing.front() + image_window;
        if (with_window && within) status.first_missing.push_back(index);
    }
    return status;
}

}  // namespace wattmesh::mesh
