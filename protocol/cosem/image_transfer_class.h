#pragma once
#include "protocol/cosem/parts.h"

/// Image transfer, class 18: firmware by blocks. Source: Blue Book ed. 14, 4.4.6.
namespace wattmesh::cosem::image_transfer {

enum class Status : std::uint8_t {
    not_initiated = 0,
    initiated = 1,
    verification_initiated = 2,
    verification_successful = 3,
    verification_failed = 4,
    activation_initiated = 5,
    activation_successful = 6,
    activation_failed = 7,
};
constexpr Status last_of(Status) { return Status::activation_failed; }

struct ImageToActivate {
    std::uint32_t size = 0;  ///< octets
    Buffer identification;
    Buffer signature;
    friend bool operator==(const ImageToActivate&, const ImageToActivate&) = default;
    static constexpr auto members() {
        return std::tuple{&ImageToActivate::size, &ImageToActivate::identification,
                          &ImageToActivate::signature};
    }
};
/// Argument of image_transfer_initiate.
struct Initiation {
    Buffer image_identifier;
    std::uint32_t image_size = 0;  ///< octets
    friend bool operator==(const Initiation&, const Initiation&) = default;
    static constexpr auto members() {
        return std::tuple{&Initiation::image_identifier, &Initiation::image_size};
    }
};
/// Argument of image_block_transfer. Every block but the last has image_block_size octets.
struct Block {
    std::uint32_t image_block_number = 0;  ///< from 0
    Buffer image_block_value;
    friend bool operator==(const Block&, const Block&) = default;
    static constexpr auto members() {
        return std::tuple{&Block::image_block_number, &Block::image_block_value};
    }
};

inline constexpr ClassName owner{18, "image_transfer"};
/// Octets.
inline constexpr Attribute<std::uint32_t> image_block_size{owner, 2, "image_block_size", Change::fixed};
/// One bit per block, block 0 first: 1 = transferred.
inline constexpr Attribute<dlms::BitString> image_transferred_blocks_status{
    owner, 3, "image_transferred_blocks_status", Change::dynamic};
/// The number of blocks when all are there.
inline constexpr Attribute<std::uint32_t> image_first_not_transferred_block_number{
    owner, 4, "image_first_not_transferred_block_number", Change::dynamic};
inline constexpr Attribute<bool> image_transfer_enabled{owner, 5, "image_transfer_enabled", Change::fixed};
inline constexpr Attribute<Status> image_transfer_status{owner, 6, "image_transfer_status", Change::dynamic};
inline constexpr Attribute<std::vector<ImageToActivate>> image_to_activate_info{
    owner, 7, "image_to_activate_info", Change::dynamic};
inline constexpr Method<Initiation> image_transfer_initiate{owner, 1, "image_transfer_initiate",
                                                            Need::mandatory};
inline constexpr Method<Block> image_block_transfer{owner, 2, "image_block_transfer", Need::mandatory};
inline constexpr Method<> image_verify{owner, 3, "image_verify", Need::mandatory};
inline constexpr Method<> image_activate{owner, 4, "image_activate", Need::mandatory};

inline constexpr AttributeSpec attributes[]{logical_name,
                                            image_block_size,
                                            image_transferred_blocks_status,
                                            image_first_not_transferred_block_number,
                                            image_transfer_enabled,
                                            image_transfer_status,
                                            image_to_activate_info};
inline constexpr MethodSpec methods[]{image_transfer_initiate, image_block_transfer, image_verify,
                                      image_activate};
inline constexpr ClassSpec spec{owner.id, 0, owner.name, attributes, methods};

}  // namespace wattmesh::cosem::image_transfer
