#include "concentrator/uplink/image_shelf.h"

#include <algorithm>

namespace wattmesh::concentrator {

using dlms::AccessResult;
namespace transfer = cosem::image_transfer;

namespace {

constexpr std::size_t identifier_size = 32;

dlms::BitString bits_of(const std::vector<bool>& blocks) {
    dlms::BitString bits{blocks.size(), Buffer((blocks.size() + 7) / 8)};
    for (std::size_t i = 0; i < blocks.size(); ++i)
        if (blocks[i]) bits.octets[i / 8] = static_cast<std::uint8_t>(bits.octets[i / 8] | 0x80U >> i % 8);
    return bits;
}

}  // namespace

transfer::Status ImageShelf::status() const {
    if (!image_) return Status::not_initiated;
    if (image_->verified) return Status::verification_successful;
    return failed_ ? Status::verification_failed : Status::initiated;
}

std::uint32_t ImageShelf::first_missing() const {
    if (!image_) return 0;
    const auto& blocks = image_->blocks;
    return static_cast<std::uint32_t>(std::find(blocks.begin(), blocks.end(), false) - blocks.begin());
}

dlms::ReadOutcome ImageShelf::get(std::int8_t attribute) const {
    switch (attribute) {
        case 2:
            return transfer::image_block_size.write(KeptImage::block_size);
        case 3:
            return transfer::image_transferred_blocks_status.write(
                bits_of(image_ ? image_->blocks : std::vector<bool>{}));
        case 4:
            return transfer::image_first_not_transferred_block_number.write(first_missing());
        case 5:
            return transfer::image_transfer_enabled.write(true);
        case 6:
            return transfer::image_transfer_status.write(status());
        case 7: {
            std::vector<transfer::ImageToActivate> images;
            if (image_ && image_->verified) images.push_back({image_->size, image_->identifier, {}});
            return transfer::image_to_activate_info.write(images);
        }
        default:
            return AccessResult::object_undefined;
    }
}

void ImageShelf::act(std::int8_t method, const std::optional<dlms::Data>& argument, Done done) {
    if (method == transfer::image_transfer_initiate.id) return initiate(argument, std::move(done));
    if (method == transfer::image_block_transfer.id) return take_block(argument, std::move(done));
    if (method == transfer::image_verify.id) return verify(std::move(done));
    done(method == transfer::image_activate.id ? AccessResult::read_write_denied
                                               : AccessResult::object_undefined);
}

void ImageShelf::initiate(const std::optional<dlms::Data>& argument, Done done) {
    const auto wanted = transfer::image_transfer_initiate.read(argument);
    if (!wanted) return done(AccessResult::type_unmatched);
    if (wanted->image_identifier.size() != identifier_size || wanted->image_size == 0 ||
        wanted->image_size > KeptImage::size_max)
        return done(AccessResult::scope_of_access_violated);
    store_.put_image(ImageBegun{wanted->image_identifier, wanted->image_size},
                     [this, wanted = *wanted, done = std::move(done)](bool stored) {
                         if (!stored) return done(AccessResult::temporary_failure);
                         failed_ = false;
                         image_ = KeptImage{.identifier = wanted.image_identifier,
                                            .size = wanted.image_size,
                                            .verified = false,
                                            .blocks = {},
                                            .octets = Buffer(wanted.image_size)};
                         image_->blocks.resize(KeptImage::blocks_of(wanted.image_size));
                         done(AccessResult::success);
                     });
}

void ImageShelf::take_block(const std::optional<dlms::Data>& argument, Done done) {
    auto block = transfer::image_block_transfer.read(argument);
    if (!block) return done(AccessResult::type_unmatched);
    if (!image_ || image_->verified || block->image_block_number >= image_->blocks.size())
        return done(AccessResult::scope_of_access_violated);
    const std::size_t start = std::size_t{block->image_block_number} * KeptImage::block_size;
    if (block->image_block_value.size() != std::min<std::size_t>(KeptImage::block_size, image_->size - start))
        return done(AccessResult::scope_of_access_violated);
    ImageBlockCame came{block->image_block_number, block->image_block_value};
    auto copy = came;
    store_.put_image(std::move(copy), [this, start, came = std::move(came), of = image_->identifier,
                                       done = std::move(done)](bool stored) {
        if (!stored) return done(AccessResult::temporary_failure);
        if (image_ && image_->identifier == of && start + came.octets.size() <= image_->octets.size()) {
            std::copy(came.octets.begin(), came.octets.end(),
                      image_->octets.begin() + static_cast<std::ptrdiff_t>(start));
            image_->blocks[came.number] = true;
        }
        done(AccessResult::success);
    });
}

void ImageShelf::verify(Done done) {
    if (!image_) return done(AccessResult::scope_of_access_violated);
    if (image_->verified) return done(AccessResult::success);
    const bool whole = first_missing() == image_->blocks.size();
    failed_ = !whole || ciphers_.digest(Digest::sha256, image_->octets) != image_->identifier;
    if (failed_) return done(AccessResult::other_reason);
    store_.put_image(ImageVerified{}, [this, of = image_->identifier, done = std::move(done)](bool stored) {
        if (!stored) return done(AccessResult::temporary_failure);
        if (image_ && image_->identifier == of) {
            image_->verified = true;
            verified_();
        }
        done(AccessResult::success);
    });
}

Bytes ImageShelf::whole(Bytes digest) const {
    if (!image_ || !image_->verified || to_buffer(digest) != image_->identifier) return {};
    return image_->octets;
}

}  // namespace wattmesh::concentrator
