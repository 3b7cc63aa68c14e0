#include "protocol/cosem/image_file.h"

#include <algorithm>
#include <cassert>

#include "protocol/base/reader.h"
#include "protocol/base/writer.h"

namespace wattmesh::cosem {

namespace {

constexpr std::string_view magic = "WMIMAGE1";
constexpr std::size_t signature_size = 64;

struct Parts {
    ImageHeader header;
    Bytes signed_part, signature, image;
};

Buffer sized(Reader& in) {
    const std::uint8_t size = in.u8();
    if (size > image_text_size_max) in.fail(Fault::bad_value);
    return to_buffer(in.bytes(in.ok() ? size : 0));
}

std::string text(Reader& in) {
    const Buffer octets = sized(in);
    const bool printable =
        std::all_of(octets.begin(), octets.end(), [](auto o) { return o >= 0x20 && o < 0x7F; });
    if (!printable) in.fail(Fault::bad_value);
    return {octets.begin(), octets.end()};
}

Result<Parts> take_apart(Bytes file) {
    Reader in{file};
    if (!std::ranges::equal(in.bytes(magic.size()), as_bytes(magic))) in.fail_at(Fault::bad_version, 0);
    const std::size_t header_size = in.u16();
    Parts parts;
    parts.header.image_size = in.u32();
    parts.header.image_sha256 = in.array<32>();
    parts.header.model = text(in);
    parts.header.version = text(in);
    parts.header.identifier = sized(in);
    if (in.ok() && parts.header.identifier.empty()) in.fail(Fault::bad_value);
    if (in.ok() && parts.header.image_size > image_size_max) in.fail(Fault::too_long);
    if (in.ok()) parts.signed_part = file.first(in.position());
    parts.signature = in.bytes(signature_size);
    if (in.ok() && in.position() != header_size) in.fail_at(Fault::bad_value, magic.size());
    parts.image = in.bytes(in.ok() ? parts.header.image_size : 0);
    in.expect_end();
    if (in.error()) return *in.error();
    return parts;
}

}  // namespace

Result<ImageHeader> decode_image_header(Bytes file) {
    auto parts = take_apart(file);
    if (!parts) return parts.error();
    return std::move(parts->header);
}

Result<SignedImage> SignedImage::open(Bytes file, Bytes vendor_key, Ciphers& ciphers) {
    auto parts = take_apart(file);
    if (!parts) return parts.error();
    if (!ciphers.verify(Curve::p256, vendor_key, parts->signed_part, parts->signature))
        return Error{Fault::not_authentic, parts->signed_part.size()};
    if (!equal_constant_time(ciphers.digest(Digest::sha256, parts->image), parts->header.image_sha256))
        return Error{Fault::bad_checksum, parts->signed_part.size() + signature_size};
    return SignedImage{std::move(parts->header), parts->image};
}

Buffer sign_image(ImageHeader header, Bytes image, PrivateKey& key, Ciphers& ciphers) {
    assert(key.curve() == Curve::p256 && image.size() <= image_size_max);
    assert(header.model.size() <= image_text_size_max && header.version.size() <= image_text_size_max);
    assert(!header.identifier.empty() && header.identifier.size() <= image_text_size_max);
    const std::size_t size = magic.size() + 2 + 4 + 32 + 3 + header.model.size() + header.version.size() +
                             header.identifier.size() + signature_size;
    Writer out;
    out.bytes(as_bytes(magic)).u16(static_cast<std::uint16_t>(size));
    out.u32(static_cast<std::uint32_t>(image.size())).bytes(ciphers.digest(Digest::sha256, image));
    for (const Bytes part : {as_bytes(header.model), as_bytes(header.version), Bytes{header.identifier}})
        out.u8(static_cast<std::uint8_t>(part.size())).bytes(part);
    Buffer file = out.take();
    const Buffer signature = key.sign(file);
    file.insert(file.end(), signature.begin(), signature.end());
    file.insert(file.end(), image.begin(), image.end());
    return file;
}

}  // namespace wattmesh::cosem
