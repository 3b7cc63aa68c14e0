#pragma once
#include <filesystem>

#include "protocol/base/cipher.h"
#include "protocol/mesh/image_receiver.h"
#include "terminal-sim/meter/meter.h"

namespace wattmesh::sim {

/// A simulated meter's flash for firmware that comes over the mesh. Block and mark are in the file before the
/// call returns, so that a meter that loses its power, or a simulator that is killed, goes on at the first
/// block that is missing. Written to the system, not synced to the disk: it outlives the program, not the
/// host. The file holds only what came of the newest image; one that is damaged counts as empty.
class MeshFlash final : public mesh::ImageFlash {
public:
    /// `file` empty: nothing outlives this object. `vendor_key` (x || y on P-256) is the one whose signature
    /// the meter believes. The references outlive it. An image that was verified before is given to the meter
    /// again unless it runs it.
    MeshFlash(std::filesystem::path file, Bytes vendor_key, Meter& meter, Ciphers& ciphers);
    ~MeshFlash() override;
    MeshFlash(const MeshFlash&) = delete;
    MeshFlash& operator=(const MeshFlash&) = delete;

    std::optional<mesh::ImageOffer> offer() const override { return offer_; }
    mesh::ImageState state() const override { return state_; }
    bool begin(const mesh::ImageOffer& offer) override;
    void renumber(std::uint32_t number) override;
    bool holds(std::uint16_t block) const override { return blocks_.at(block); }
    void keep(std::uint16_t block, Bytes octets) override;
    Bytes octets() const override { return octets_; }
    void erase() override;
    bool take_over() override;
    mesh::ImageTrouble trouble() const override { return trouble_; }

private:
    void restore();
    void judge();
    void write_header();
    void write(Bytes octets, std::size_t at);

    std::filesystem::path file_;
    Buffer vendor_key_;
    Meter& meter_;
    Ciphers& ciphers_;
    int descriptor_ = -1;
    std::optional<mesh::ImageOffer> offer_;
    mesh::ImageState state_ = mesh::ImageState::receiving;
    mesh::ImageTrouble trouble_ = mesh::ImageTrouble::none;
    std::vector<bool> blocks_;
    Buffer octets_;
};

}  // namespace wattmesh::sim
