#include <catch2/catch.hpp>

#include "protocol/mesh/host_frame.h"
#include "protocol/mesh/image.h"
#include "protocol/mesh/image_receiver.h"
#include "security/ciphers.h"

using namespace wattmesh;
using namespace wattmesh::mesh;

namespace {

ImageOffer offer_of(std::uint32_t size, std::uint32_t number = 1) {
    ImageOffer offer{.number = number, .size = size};
    offer.sha256 = {0xDE, 0xAD, 0xBE, 0xEF};
    offer.mac = {1, 2, 3, 4, 5, 6, 7, 8};
    return offer;
}

template <class Decode>
void refuses_every_piece(const Buffer& whole, Decode decode, std::size_t from = 0) {
    for (std::size_t size = from; size < whole.size(); ++size)
        CHECK_FALSE(decode(Bytes{whole}.first(size)).has_value());
}

}  // namespace

TEST_CASE("mesh frame: a type above 15 has its high half in the flags, the others look as ever",
          "[mesh][image]") {
    const Buffer body{0xAA};
    MacFrame frame{.type = FrameType::image_request,
                   .acknowledge_request = true,
                   .secured = true,
                   .sequence = 0x11,
                   .pan = 0x2233,
                   .destination = 0x4455,
                   .source = 0x6677,
                   .key = 1,
                   .counter = 0x8899AABB,
                   .body = body};
    CHECK(to_hex(encode_covered(frame)) == "111311223344556677018899AABBAA");
    const auto read = decode_mac(finish(encode_covered(frame), {}));
    REQUIRE(read);
    CHECK(read->frame.type == FrameType::image_request);
    CHECK(read->frame.acknowledge_request);
    frame.type = FrameType::image_block;
    CHECK(to_hex(encode_covered(frame)) == "101311223344556677018899AABBAA");
    CHECK_FALSE(is_ack(encode_covered(frame)));
    CHECK(type_index(encode_covered(frame)) == 16);
    frame.type = FrameType::data_down;  // golden, from before there were more than fifteen
    CHECK(to_hex(encode_covered(frame)) == "160311223344556677018899AABBAA");
    // Neither a type that nobody gave, nor an acknowledgement's low half with a high one.
    struct Row {
        unsigned control, flags;
    };
    for (const auto& row : {Row{0x10, 0x03}, Row{0x12, 0x13}, Row{0x1F, 0x13}, Row{0x16, 0x23}}) {
        Buffer covered = encode_covered(frame);
        covered[0] = static_cast<std::uint8_t>(row.control);
        covered[1] = static_cast<std::uint8_t>(row.flags);
        CHECK(decode_mac(finish(covered, {})).error().fault == Fault::bad_tag);
    }
    Buffer covered = encode_covered(frame);
    covered[1] = 0x07;
    CHECK(decode_mac(finish(covered, {})).error() == Error{Fault::bad_value, 1});
}

TEST_CASE("mesh host: frames of every type cross, an acknowledgement does not", "[mesh][image]") {
    for (unsigned type = 0; type < 256; ++type) {
        const host::Message message{host::Tx{.type = static_cast<FrameType>(type), .body = {1}}};
        CHECK(host::decode(host::encode(message)).has_value() ==
              ((type >= 1 && type <= 14) || type == 16 || type == 17));
    }
}

TEST_CASE("mesh image: offers and pieces are read back, no piece of them is", "[mesh][image]") {
    const ImageRequest offer{offer_of(200'000, 7)};
    const Buffer octets = encode(offer);
    CHECK(to_hex(octets) ==
          "010000000700030D40"
          "DEADBEEF00000000000000000000000000000000000000000000000000000000"
          "0102030405060708");
    CHECK(decode_image_request(octets).value() == offer);
    refuses_every_piece(octets, decode_image_request);
    CHECK(std::get<ImageOffer>(offer).blocks() == 1'112);
    CHECK(std::get<ImageOffer>(offer).block_size(0) == 180);
    CHECK(std::get<ImageOffer>(offer).block_size(1'111) == 20);
    CHECK(std::get<ImageOffer>(offer).image() == 0xDEADBEEF);
    for (const std::uint32_t size : {0U, static_cast<std::uint32_t>(image_size_max) + 1})
        CHECK(decode_image_request(encode(ImageRequest{offer_of(size)})).error().fault == Fault::bad_value);

    const ImagePiece piece{.image = 0x01020304, .index = 0x0506, .octets = {7, 8}};
    CHECK(to_hex(encode(ImageRequest{piece})) == "020102030405060708");
    CHECK(decode_image_request(encode(ImageRequest{piece})).value() == ImageRequest{piece});
    const ImageBlock block{.pass = 9, .time_to_live = 15, .piece = piece};
    CHECK(to_hex(encode(block)) == "090F0102030405060708");
    CHECK(decode_image_block(encode(block)).value() == block);
    for (std::size_t size = 0; size <= 8; ++size)
        CHECK_FALSE(decode_image_block(Bytes{encode(block)}.first(size)).has_value());
    Buffer longer = encode(block);
    longer.resize(8 + image_block_size + 1);
    CHECK(decode_image_block(longer).error().fault == Fault::too_long);
    longer = encode(block);
    longer[6] = 0x10;  // block 4096 and beyond
    CHECK(decode_image_block(longer).error().fault == Fault::bad_value);
    CHECK(decode_image_request(Buffer{3, 1}).error() == Error{Fault::bad_tag, 0});
    // The longest of all fits a frame over the longest route.
    DownPacket packet;
    packet.relays.resize(relays_max);
    packet.body = encode(ImageRequest{ImagePiece{.octets = Buffer(image_block_size)}});
    CHECK(encode(packet).size() <= frame_body_size_max);
}

TEST_CASE("mesh image: what is missing is said in one way only", "[mesh][image]") {
    const ImageStatus some{
        .state = ImageState::receiving, .image = 0xA1B2C3D4, .missing = 4, .first_missing = {3, 4, 12}};
    CHECK(to_hex(encode(some)) == "00A1B2C3D400040003C040");
    CHECK(decode_image_status(encode(some)).value() == some);
    const ImageStatus done{.state = ImageState::verified, .image = 1};
    CHECK(to_hex(encode(done)) == "01000000010000");
    CHECK(decode_image_status(encode(done)).value() == done);
    const ImageStatus spurned{.state = ImageState::failed, .image = 1, .trouble = ImageTrouble::other_model};
    CHECK(to_hex(encode(spurned)) == "0200000001000005");
    CHECK(decode_image_status(encode(spurned)).value() == spurned);
    // A meter of an earlier version does not say why.
    CHECK(decode_image_status(*from_hex("03000000010000")).value() ==
          ImageStatus{.state = ImageState::refused, .image = 1});
    struct Row {
        const char *why, *hex;
    };
    const auto row = GENERATE(values<Row>({{"no state", "04000000010000"},
                                           {"missing, and done with it", "01000000010001"},
                                           {"more blocks than there may be", "00000000011001"},
                                           {"a first one without bits", "000000000100010003"},
                                           {"the first one is not missing", "00000000010004000340"},
                                           {"an empty last octet", "000000000100040003C000"},
                                           {"more named than missing", "000000000100010003C0"},
                                           {"a block beyond the last", "0000000001000110 0080"},
                                           {"no such reason", "0200000001000006"},
                                           {"a reason of none", "0300000001000000"},
                                           {"more than a reason", "020000000100000500"},
                                           {"half a number", "0000000001000100"}}));
    std::string hex = row.hex;
    hex.erase(std::remove(hex.begin(), hex.end(), ' '), hex.end());
    DYNAMIC_SECTION(row.why) { CHECK_FALSE(decode_image_status(*from_hex(hex)).has_value()); }
    ImageStatus full{.state = ImageState::receiving, .image = 1, .missing = image_blocks_max};
    for (std::size_t i = 0; i < image_window; ++i)
        full.first_missing.push_back(static_cast<std::uint16_t>(image_blocks_max - image_window + i));
    CHECK(decode_image_status(encode(full)).value() == full);
    CHECK(encode(full).size() <= 208);  // Node::answer_size_max
}

namespace {

class PlainFlash final : public ImageFlash {
public:
    std::optional<ImageOffer> offer() const override { return offer_; }
    ImageState state() const override { return state_; }
    bool begin(const ImageOffer& offer) override {
        if (offer.size > 1'000) return false;
        offer_ = offer;
        octets_.assign(offer.size, 0xFF);
        erase();
        return true;
    }
    void renumber(std::uint32_t number) override { offer_->number = number; }
    bool holds(std::uint16_t block) const override { return there_.at(block); }
    void keep(std::uint16_t block, Bytes octets) override {
        std::copy(octets.begin(), octets.end(), octets_.begin() + block * 180);
        there_.at(block) = true;
    }
    Bytes octets() const override { return octets_; }
    void erase() override { there_.assign(offer_->blocks(), false), state_ = ImageState::receiving; }
    bool take_over() override {
        state_ = signature_right ? ImageState::verified : ImageState::failed;
        return signature_right;
    }
    ImageTrouble trouble() const override {
        return state_ == ImageState::failed ? ImageTrouble::not_signed : ImageTrouble::none;
    }
    bool signature_right = true;

private:
    std::optional<ImageOffer> offer_;
    ImageState state_ = ImageState::receiving;
    Buffer octets_;
    std::vector<bool> there_;
};

struct Case {
    security::OpensslCiphers ciphers;
    PlainFlash flash;
    ImageReceiver receiver;
    Buffer file = Buffer(400, 5);
    ImageOffer offer{.number = 3, .size = 400};

    Case() {
        receiver.set_flash(&flash);
        const Buffer digest = ciphers.digest(Digest::sha256, file);
        std::copy_n(digest.begin(), 32, offer.sha256.begin());
    }
    void hear(std::uint16_t index) {
        const auto part = Bytes{file}.subspan(index * 180U, offer.block_size(index));
        receiver.heard({.image = offer.image(), .index = index, .octets = to_buffer(part)}, ciphers);
    }
};

}  // namespace

TEST_CASE("mesh image: a meter counts what it lacks, also after its power was gone", "[mesh][image]") {
    Case one;
    one.hear(0);  // before any offer
    auto status = one.receiver.offered(one.offer, true, one.ciphers);
    CHECK(status == ImageStatus{ImageState::receiving, one.offer.image(), 3, {0, 1, 2}});
    one.hear(1);
    one.hear(1);
    ImageReceiver again;  // all that it knows lies in the flash
    again.set_flash(&one.flash);
    CHECK(again.offered(one.offer, true, one.ciphers) ==
          ImageStatus{ImageState::receiving, one.offer.image(), 2, {0, 2}});
    one.receiver.heard({.image = one.offer.image() + 1, .index = 0, .octets = Buffer(180)}, one.ciphers);
    one.receiver.heard({.image = one.offer.image(), .index = 3, .octets = Buffer(40)}, one.ciphers);
    one.receiver.heard({.image = one.offer.image(), .index = 2, .octets = Buffer(41)}, one.ciphers);
    CHECK(one.receiver.status(false) == ImageStatus{ImageState::receiving, one.offer.image(), 2, {}});
    one.hear(0);
    one.hear(2);
    CHECK(one.receiver.status(true) == ImageStatus{ImageState::verified, one.offer.image(), 0, {}});
}

TEST_CASE("mesh image: a whole with a wrong digest is thrown away, one with a wrong signature is not taken",
          "[mesh][image]") {
    Case one;
    REQUIRE(one.receiver.offered(one.offer, true, one.ciphers).missing == 3);
    one.receiver.heard({.image = one.offer.image(), .index = 0, .octets = Buffer(180, 6)}, one.ciphers);
    one.hear(1);
    one.hear(2);
    CHECK(one.receiver.spoiled() == 1);
    CHECK(one.receiver.status(true).first_missing == std::vector<std::uint16_t>{0, 1, 2});
    one.flash.signature_right = false;
    for (std::uint16_t i = 0; i < 3; ++i) one.hear(i);
    CHECK(one.receiver.status(true).state == ImageState::failed);
    CHECK(one.receiver.status(false).trouble == ImageTrouble::not_signed);
    CHECK(one.receiver.spoiled() == 1);
}

TEST_CASE("mesh image: an offer counts when it is authentic and newer", "[mesh][image]") {
    Case one;
    const auto forged = one.receiver.offered(one.offer, false, one.ciphers);
    CHECK(forged.state == ImageState::refused);
    CHECK(forged.trouble == ImageTrouble::not_authentic);
    CHECK_FALSE(one.flash.offer());
    REQUIRE(one.receiver.offered(one.offer, true, one.ciphers).missing == 3);
    one.hear(1);
    ImageOffer other = one.offer;
    other.sha256[5] ^= 1;
    for (const std::uint32_t number : {2U, 3U}) {
        other.number = number;
        CHECK(one.receiver.offered(other, true, one.ciphers).trouble == ImageTrouble::superseded);
    }
    // The same image under a later number: what is there counts, and no number in between is taken any more.
    ImageOffer later = one.offer;
    later.number = 9;
    CHECK(one.receiver.offered(later, true, one.ciphers).missing == 2);
    other.number = 8;
    CHECK(one.receiver.offered(other, true, one.ciphers).state == ImageState::refused);
    other.number = 10;
    CHECK(one.receiver.offered(other, true, one.ciphers).missing == 3);
    ImageOffer large = offer_of(1'001, 11);
    CHECK(one.receiver.offered(large, true, one.ciphers).trouble == ImageTrouble::no_room);
    CHECK(one.flash.offer()->number == 10);
    ImageReceiver bare;
    CHECK(bare.offered(one.offer, true, one.ciphers).state == ImageState::refused);
    bare.heard({.image = one.offer.image(), .index = 0, .octets = Buffer(180)}, one.ciphers);

    const Key128 key{{1, 2, 3}}, wrong{{1, 2, 4}};
    sign(one.offer, 40, key, one.ciphers);
    CHECK(authentic(one.offer, 40, key, one.ciphers));
    CHECK_FALSE(authentic(one.offer, 40, wrong, one.ciphers));
    CHECK_FALSE(authentic(one.offer, 41, key, one.ciphers));
    for (ImageOffer changed : {one.offer, one.offer, one.offer}) {
        static int turn = 0;
        ++turn == 1 ? void(++changed.number)
        : turn == 2 ? void(++changed.size)
                    : void(changed.sha256[31] ^= 1);
        CHECK_FALSE(authentic(changed, 40, key, one.ciphers));
    }
}
