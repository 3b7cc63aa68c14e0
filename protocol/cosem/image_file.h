#pragma once
#include <cstdint>
#include <optional>
#include <string>

#include "protocol/base/bytes.h"
#include "protocol/base/cipher.h"
#include "protocol/base/result.h"

/// Firmware as a file that its vendor signed. All integers big endian:
///
///     8   magic "WMIMAGE1"
///     2   size of this header, signature included
///     4   size of the image
///     32  SHA-256 of the image
///     1+n model: the meter's type, as it shows it        n <= 32
///     1+n version                                        n <= 32
///     1+n identifier, for image_transfer_initiate        n 1 to 32
///     64  ECDSA P-256 signature r || s over all of the above
///     the image
namespace wattmesh::cosem {

struct ImageHeader {
    std::uint32_t image_size = 0;  ///< octets
    std::array<std::uint8_t, 32> image_sha256{};
    std::string model, version;
    Buffer identifier;
    friend bool operator==(const ImageHeader&, const ImageHeader&) = default;
};

inline constexpr std::size_t image_size_max = 16 << 20;
inline constexpr std::size_t image_text_size_max = 32;

/// A vendor's file whose signature and digest were right when it was opened. There is no other way to make
/// one, so nothing unsigned can be sent to a meter.
class SignedImage {
public:
    /// `file` is the whole file and must outlive the image; `vendor_key` is x || y on P-256. Faults:
    /// truncated, bad_version (no such file), too_long, bad_value (a text), trailing, not_authentic
    /// (signature), bad_checksum (digest).
    static Result<SignedImage> open(Bytes file, Bytes vendor_key, Ciphers& ciphers);

    const ImageHeader& header() const { return header_; }
    Bytes image() const { return image_; }

private:
    SignedImage(ImageHeader header, Bytes image) : header_(std::move(header)), image_(image) {}
    ImageHeader header_;
    Bytes image_;
};

/// What a meter can see of a file without the vendor's key: its header, if the form is right.
Result<ImageHeader> decode_image_header(Bytes file);
/// The vendor's side: `header.image_size` and digest are filled in. The key must be on P-256; texts within
/// their bounds.
Buffer sign_image(ImageHeader header, Bytes image, PrivateKey& key, Ciphers& ciphers);

}  // namespace wattmesh::cosem
