#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <vector>

#include "concentrator/mesh/image_sender.h"
#include "protocol/mesh/image.h"
#include "protocol/mesh/image_receiver.h"
#include "security/ciphers.h"

using namespace wattmesh;
using namespace wattmesh::mesh;

namespace {

template <class Decode>
void check(Decode decode, Bytes body) {
    const auto value = decode(body);
    if (value && encode(value.value()) != to_buffer(body)) std::abort();
}

/// A small meter: aborts when it is asked for what no image of its size has.
class Flash final : public ImageFlash {
public:
    std::optional<ImageOffer> offer() const override { return offer_; }
    ImageState state() const override { return state_; }
    bool begin(const ImageOffer& offer) override {
        if (offer.size > 4'096) return false;
        offer_ = offer;
        octets_.assign(offer.size, 0);
        erase();
        return true;
    }
    void renumber(std::uint32_t number) override { offer_->number = number; }
    bool holds(std::uint16_t block) const override { return there_.at(block); }
    void keep(std::uint16_t block, Bytes octets) override {
        if (block * image_block_size + octets.size() > octets_.size() || there_.at(block)) std::abort();
        std::copy(octets.begin(), octets.end(),
                  octets_.begin() + static_cast<std::ptrdiff_t>(block * image_block_size));
        there_.at(block) = true;
    }
    Bytes octets() const override { return octets_; }
    void erase() override {
        there_.assign(offer_->blocks(), false);
        state_ = ImageState::receiving;
    }
    bool take_over() override {
        state_ = ImageState::verified;
        return true;
    }
    ImageTrouble trouble() const override { return ImageTrouble::none; }

private:
    std::optional<ImageOffer> offer_;
    ImageState state_ = ImageState::receiving;
    Buffer octets_;
    std::vector<bool> there_;
};

DeviceNumber target(std::uint8_t i) { return DeviceNumber{{0, 0, 0, 0, 0, i}}; }

/// What a meter hears, in order, and what the root makes of what meters answer. Each message: its length,
/// then itself.
void play(Bytes script) {
    security::OpensslCiphers ciphers;
    Flash flash;
    ImageReceiver receiver;
    receiver.set_flash(&flash);
    concentrator::ImageSender sender{40, {target(0), target(1), target(2)}};
    const concentrator::ImageSender::Ways ways{
        .hops = [](DeviceNumber) { return std::optional<std::size_t>{2}; }, .relays = 1};
    Instant now{Duration{1}};
    for (int i = 0; script.size() > 1 && i < 200; ++i) {
        const auto size = std::min<std::size_t>(script[0], script.size() - 1);
        const Bytes message = script.subspan(1, size);
        script = script.subspan(1 + size);
        if (const auto request = decode_image_request(message)) {
            if (const auto* offer = std::get_if<ImageOffer>(&*request))
                (void)receiver.offered(*offer, (offer->mac[0] & 1) == 0, ciphers);
            else
                receiver.heard(std::get<ImagePiece>(*request), ciphers);
        }
        if (const auto block = decode_image_block(message)) receiver.heard(block->piece, ciphers);
        const auto own = receiver.status(true);
        if (decode_image_status(encode(own)).value() != own) std::abort();
        now += std::chrono::seconds{20};
        (void)sender.next(now, ways);
        const auto who = target(static_cast<std::uint8_t>(i % 4));
        if (const auto status = decode_image_status(message))
            sender.answered(who, *status, now);
        else if (size % 2 == 0)
            sender.silent(who, now);
        if (sender.progress().done() > 3) std::abort();
    }
}

}  // namespace

/// First octet chooses: one body, or a talk of many.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const Bytes body{data + 1, size - 1};
    switch (data[0] % 4) {
        case 0:
            check(decode_image_request, body);
            break;
        case 1:
            check(decode_image_block, body);
            break;
        case 2:
            check(decode_image_status, body);
            break;
        default:
            play(body);
    }
    return 0;
}
