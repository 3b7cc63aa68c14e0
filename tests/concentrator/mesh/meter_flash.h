#pragma once
#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "protocol/cosem/image_file.h"
#include "protocol/mesh/image_receiver.h"

/// A meter's flash and a vendor, for tests and benchmarks of the image broadcast.
namespace wattmesh::test {

/// A vendor with a key, and files that it signed.
struct Vendor {
    explicit Vendor(Ciphers& port)
        : ciphers(port), key(port.generate(Curve::p256)), public_key(key->public_key()) {}
    Buffer file(std::size_t image_size, const std::string& model = "WMT-SIM",
                std::uint8_t filling = 7) const {
        Buffer image(image_size);
        for (std::size_t i = 0; i < image.size(); ++i)
            image[i] = static_cast<std::uint8_t>(i * 31 + i / 251 + filling);
        cosem::ImageHeader header;
        header.model = model;
        header.version = "2.0";
        header.identifier = {1};
        return cosem::sign_image(header, image, *key, ciphers);
    }
    Ciphers& ciphers;
    std::unique_ptr<PrivateKey> key;
    Buffer public_key;
};

/// Outlives its meter's power cuts, because the test owns it.
class MeterFlash final : public mesh::ImageFlash {
public:
    MeterFlash(const Vendor& vendor, std::string model = "WMT-SIM")
        : vendor_(vendor), model_(std::move(model)) {}

    std::optional<mesh::ImageOffer> offer() const override { return offer_; }
    mesh::ImageState state() const override { return state_; }
    bool begin(const mesh::ImageOffer& offer) override {
        if (offer.size > room) return false;
        offer_ = offer;
        octets_.assign(offer.size, 0xFF);
        erase();
        return true;
    }
    void renumber(std::uint32_t number) override { offer_->number = number; }
    bool holds(std::uint16_t block) const override { return there_.at(block); }
    void keep(std::uint16_t block, Bytes octets) override {
        std::copy(octets.begin(), octets.end(),
                  octets_.begin() + static_cast<std::ptrdiff_t>(block * mesh::image_block_size));
        there_.at(block) = true;
        ++kept;
    }
    Bytes octets() const override { return octets_; }
    void erase() override {
        there_.assign(offer_->blocks(), false);
        state_ = mesh::ImageState::receiving;
    }
    bool take_over() override {
        const auto image = cosem::SignedImage::open(octets_, vendor_.public_key, vendor_.ciphers);
        trouble_ = !image                            ? mesh::ImageTrouble::not_signed
                   : image->header().model != model_ ? mesh::ImageTrouble::other_model
                                                     : mesh::ImageTrouble::none;
        const bool good = trouble_ == mesh::ImageTrouble::none;
        state_ = good ? mesh::ImageState::verified : mesh::ImageState::failed;
        return good;
    }
    mesh::ImageTrouble trouble() const override { return trouble_; }

    std::size_t held() const {
        return static_cast<std::size_t>(std::count(there_.begin(), there_.end(), true));
    }
    std::size_t room = mesh::image_size_max;
    std::size_t kept = 0;  ///< blocks written so far

private:
    const Vendor& vendor_;
    std::string model_;
    std::optional<mesh::ImageOffer> offer_;
    mesh::ImageState state_ = mesh::ImageState::receiving;
    mesh::ImageTrouble trouble_{};
    Buffer octets_;
    std::vector<bool> there_;
};

}  // namespace wattmesh::test
