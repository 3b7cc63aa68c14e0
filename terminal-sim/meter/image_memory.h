#pragma once
#include <filesystem>
#include <optional>

#include "terminal-sim/meter/objects/rare.h"

namespace wattmesh::sim {

/// A meter's flash for firmware: what came of an image is in this file before the meter answers the block, so
/// that a meter that is killed goes on at the first block that is missing. Written to the system, not synced
/// to the disk: it outlives the program, not the host.
class ImageMemory {
public:
    explicit ImageMemory(std::filesystem::path file) : file_(std::move(file)) {}
    ~ImageMemory();
    ImageMemory(const ImageMemory&) = delete;
    ImageMemory& operator=(const ImageMemory&) = delete;

    /// What is there; nothing before the first transfer. Throws std::runtime_error naming the file when it is
    /// damaged.
    std::optional<SimImage> restore();
    /// A new image, without a block yet, takes the place of the old one.
    void begin(const SimImage& image);
    /// The block has come.
    void keep_block(const SimImage& image, std::uint32_t number);
    /// Status or version has changed.
    void keep_status(const SimImage& image);

private:
    void write(Bytes octets, std::size_t at);

    std::filesystem::path file_;
    int descriptor_ = -1;
};

}  // namespace wattmesh::sim
