#pragma once
#include <functional>
#include <optional>

#include "concentrator/journal/journal_store.h"
#include "protocol/base/cipher.h"
#include "protocol/cosem/image_transfer_class.h"
#include "protocol/dlms/object.h"

namespace wattmesh::concentrator {

/// The image transfer object of the logical device (class 18, Blue Book ed. 14, 4.4.6): takes one firmware
/// image for the meters and keeps it, block by block, so that a broken session or a restart goes on at the
/// first block that is missing. The identifier must be the SHA-256 of the image, and the verification checks
/// it; the vendor's signature is for the meters. Nothing is activated here: what becomes of the image says
/// the firmware order (protocol/dcu/firmware.h).
class ImageShelf {
public:
    using Done = std::function<void(dlms::AccessResult)>;
    /// `verified`: an image is whole now. The references outlive this object.
    ImageShelf(JournalStore& store, Ciphers& ciphers, std::optional<KeptImage> recovered,
               std::function<void()> verified)
        : store_(store), ciphers_(ciphers), image_(std::move(recovered)), verified_(std::move(verified)) {}

    dlms::ReadOutcome get(std::int8_t attribute) const;
    /// `done` after what was accepted is durable.
    void act(std::int8_t method, const std::optional<dlms::Data>& argument, Done done);

    /// Octets of the verified image of this digest; empty when it is not here. Good until the next call of a
    /// method.
    Bytes whole(Bytes digest) const;

private:
    using Status = cosem::image_transfer::Status;
    Status status() const;
    void initiate(const std::optional<dlms::Data>& argument, Done done);
    void take_block(const std::optional<dlms::Data>& argument, Done done);
    void verify(Done done);
    std::uint32_t first_missing() const;

    JournalStore& store_;
    Ciphers& ciphers_;
    std::optional<KeptImage> image_;
    bool failed_ = false;  ///< the last verification
    std::function<void()> verified_;
};

}  // namespace wattmesh::concentrator
