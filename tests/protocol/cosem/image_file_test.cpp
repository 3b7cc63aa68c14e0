#include "protocol/cosem/image_file.h"

#include <catch2/catch.hpp>

#include "security/ciphers.h"

using namespace wattmesh;
using namespace wattmesh::cosem;

namespace {

security::OpensslCiphers ciphers;

/// RFC 6979 A.2.5: the private key of its P-256 examples.
std::unique_ptr<PrivateKey> vendor() {
    return ciphers.private_key(Curve::p256,
                               *from_hex("C9AFA9D845BA75166B5C215767B1D6934E50C3DB36E89B127B8A622B120F6721"));
}

ImageHeader header() {
    ImageHeader made;
    made.model = "WMT-SIM";
    made.version = "1.1.0";
    made.identifier = {'W', 'M', 'T', 1};
    return made;
}

Buffer image() {
    Buffer octets(1000);
    for (std::size_t i = 0; i < octets.size(); ++i) octets[i] = static_cast<std::uint8_t>(i * 7);
    return octets;
}

}  // namespace

TEST_CASE("image file: what the vendor signed comes out again", "[cosem]") {
    const auto key = vendor();
    const Buffer file = sign_image(header(), image(), *key, ciphers);
    CHECK(to_hex(Bytes{file}.first(8)) == "574D494D41474531");
    const auto opened = SignedImage::open(file, key->public_key(), ciphers);
    REQUIRE(opened);
    CHECK(opened->header().model == "WMT-SIM");
    CHECK(opened->header().version == "1.1.0");
    CHECK(opened->header().image_size == 1000);
    CHECK(to_buffer(opened->image()) == image());
    CHECK(decode_image_header(file)->identifier == header().identifier);
}

TEST_CASE("image file: RFC 6979's key has RFC 6979's public key", "[cosem]") {
    CHECK(to_hex(vendor()->public_key()) ==
          "60FED4BA255A9D31C961EB74C6356D68C049B8923B61FA6CE669622E60F29FB6"
          "7903FE1008B8BC99A41AE9E95628BC64F2F1B20C2D7E9F5177A3C294D4462299");
}

TEST_CASE("image file: no octet can be changed", "[cosem]") {
    const auto key = vendor();
    const Buffer file = sign_image(header(), image(), *key, ciphers);
    const Buffer public_key = key->public_key();
    for (std::size_t at = 0; at < file.size(); at += at < 200 ? 1 : 37) {
        Buffer changed = file;
        changed[at] ^= 0x01;
        INFO(at);
        CHECK_FALSE(SignedImage::open(changed, public_key, ciphers));
    }
    Buffer last = file;
    last.back() ^= 0x80;
    CHECK(SignedImage::open(last, public_key, ciphers).error().fault == Fault::bad_checksum);
    Buffer version = file;
    version[8 + 2 + 4 + 32 + 1 + 7 + 1] = '9';  // "9.1.0"
    CHECK(SignedImage::open(version, public_key, ciphers).error().fault == Fault::not_authentic);
}

TEST_CASE("image file: another vendor's key does not open it", "[cosem]") {
    const auto key = vendor(), other = ciphers.generate(Curve::p256);
    const Buffer file = sign_image(header(), image(), *other, ciphers);
    CHECK(SignedImage::open(file, key->public_key(), ciphers).error().fault == Fault::not_authentic);
    CHECK(SignedImage::open(file, {}, ciphers).error().fault == Fault::not_authentic);
}

TEST_CASE("image file: every prefix is refused, and what follows too", "[cosem]") {
    const auto key = vendor();
    Buffer file = sign_image(header(), image(), *key, ciphers);
    for (std::size_t size = 0; size < file.size(); size += size < 200 ? 1 : 53)
        CHECK_FALSE(decode_image_header(Bytes{file}.first(size)));
    file.push_back(0);
    CHECK(decode_image_header(file).error() == Error{Fault::trailing, file.size() - 1});
}
