#pragma once
#include <map>
#include <optional>
#include <vector>

#include "protocol/base/time.h"
#include "protocol/cosem/image_transfer_class.h"
#include "protocol/dlms/data.h"

namespace wattmesh::sim {

/// An image that is being transferred to a meter, or was.
struct SimImage {
    static constexpr std::uint32_t block_size = 128;
    static constexpr std::uint32_t size_max = 4 << 20;  ///< octets; larger images are refused
    cosem::image_transfer::Status status{};
    Buffer identifier;
    std::uint32_t size = 0;
    Buffer octets;  ///< of `size`, or none once the image is active
    std::vector<bool> blocks;
    std::string version;    ///< out of the image, once verified
    Instant verified_at{};  ///< true time
    static constexpr std::size_t blocks_of(std::uint32_t size) {
        return (std::size_t{size} + block_size - 1) / block_size;
    }

    std::uint32_t first_missing() const;
};

/// What few meters have: attributes that were written, an image, things that are due. Made when first needed.
struct RareState {
    std::map<std::pair<ObisCode, std::int8_t>, dlms::Data> attributes;
    std::optional<SimImage> image;
    bool ready_for_reconnection = false;
    bool fed_from_behind = false;                 ///< by the customer's own generator
    std::optional<Instant> over_threshold_since;  ///< the limiter's, true time
    std::optional<Instant> trip_at;               ///< when the limiter opens, unless power falls before
    /// By schedule: up to which of its times (as the meter's clock shows them) it was carried out or written.
    std::map<ObisCode, Instant> done_until;
};

}  // namespace wattmesh::sim
