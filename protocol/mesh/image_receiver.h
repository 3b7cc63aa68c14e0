#pragma once
#include "protocol/mesh/image.h"

namespace wattmesh::mesh {

/// Where a meter keeps an image that comes in blocks. All of it outlives a power cut: what a call has said is
/// durable when it returns. Implemented by the owner of a Node; called on its thread, never calls back.
class ImageFlash {
public:
    virtual ~ImageFlash() = default;
    /// Of the image that is there, complete or not; nothing when there is none.
    virtual std::optional<ImageOffer> offer() const = 0;
    virtual ImageState state() const = 0;
    /// Makes room for this one, whose blocks are all missing then. False: it is too large for this meter, and
    /// nothing has changed.
    virtual bool begin(const ImageOffer& offer) = 0;
    /// The same image is distributed again.
    virtual void renumber(std::uint32_t number) = 0;
    virtual bool holds(std::uint16_t block) const = 0;
    /// The block first, then the mark that it is there.
    virtual void keep(std::uint16_t block, Bytes octets) = 0;
    /// The whole; undefined where blocks are missing.
    virtual Bytes octets() const = 0;
    /// All blocks are missing again.
    virtual void erase() = 0;
    /// Whether the vendor's signature over the whole is right and it is for this model; then the meter has it
    /// and may be told to activate it. The state is verified or failed from now on.
    virtual bool take_over() = 0;
    /// Why take_over() said no; none otherwise.
    virtual ImageTrouble trouble() const = 0;
};

/// A meter's side of an image broadcast: what it holds, what it lacks, whether the whole is right. Decides
/// nothing without the flash and keeps nothing beside it.
class ImageReceiver {
public:
    /// `flash` may be null: every offer is refused.
    void set_flash(ImageFlash* flash) { flash_ = flash; }

    /// The MAC of the offer has been checked: `authentic`.
    ImageStatus offered(const ImageOffer& offer, bool authentic, Ciphers& ciphers);
    /// A block, by broadcast or alone. One of another image, or of another size than it should have, is left
    /// alone.
    void heard(const ImagePiece& piece, Ciphers& ciphers);
    /// Of the image that is there. `with_window`: which blocks, not only how many.
    ImageStatus status(bool with_window) const;
    /// How often a whole was put together whose digest was wrong.
    std::uint32_t spoiled() const { return spoiled_; }

private:
    void complete(const ImageOffer& offer, Ciphers& ciphers);
    ImageFlash* flash_ = nullptr;
    std::uint32_t spoiled_ = 0;
};

}  // namespace wattmesh::mesh
