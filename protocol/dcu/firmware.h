#pragma once
#include <array>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "protocol/base/id.h"
#include "protocol/base/result.h"
#include "protocol/base/time.h"
#include "protocol/dlms/object.h"

/// Firmware for the meters of a concentrator: the order to distribute an image, and what each meter said of
/// it. The image itself comes by image transfer (class 18, `objects::firmware_image`); it is the vendor's
/// signed file as it is, named by its digest.
namespace wattmesh::dcu {

/// SHA-256 of the whole file; the image_identifier of the transfer.
using ImageDigest = std::array<std::uint8_t, 32>;

/// Versioned object `objects::firmware_order`: structure{uint32 version, uint32 number, octet-string(32)
/// image, int64 end, array of octet-string(6) meters}. The image may come before or after it.
struct FirmwareOrder {
    std::uint32_t version = 0;
    /// Of the distribution, above that of every image these meters were offered before. 0: none, stop.
    std::uint32_t number = 0;
    ImageDigest image{};
    Instant ends{};  ///< meters that are away are waited for until then
    std::vector<DeviceNumber> meters;
    friend bool operator==(const FirmwareOrder&, const FirmwareOrder&) = default;
};
dlms::Data to_data(const FirmwareOrder& order);
Result<FirmwareOrder> firmware_order_from_data(const dlms::Data& data);

/// As mesh::ImageState, which this folder does not know.
enum class ImageState : std::uint8_t { receiving = 0, verified = 1, failed = 2, refused = 3 };
std::string_view to_string(ImageState state);
/// As mesh::ImageTrouble, and what only the concentrator knows.
enum class ImageTrouble : std::uint8_t {
    none = 0,
    no_room = 1,
    not_authentic = 2,
    superseded = 3,
    not_signed = 4,
    other_model = 5,
    on_wire = 6,  ///< it hangs on a collector's wire, over which no image goes
};
/// For people.
std::string_view words(ImageTrouble trouble);

/// What a meter said of an image: payload of EntryKind::image_told.
struct ImageTold {
    std::uint32_t number = 0;  ///< of the order
    ImageState state{};
    std::uint16_t blocks = 0, missing = 0;
    ImageTrouble trouble{};
    friend bool operator==(const ImageTold&, const ImageTold&) = default;
};
Buffer encode(const ImageTold& told);
Result<ImageTold> decode_image_told(Bytes payload);

}  // namespace wattmesh::dcu
