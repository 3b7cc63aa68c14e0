// Keyed-in digits and whole blocks: what opens encodes back to the same token.
#include <cassert>

#include "protocol/sts/key_change.h"
#include "protocol/sts/meter_pan.h"
#include "protocol/sts/opening.h"

using namespace wattmesh;
using namespace wattmesh::sts;

namespace {

const HeldKey& key() {
    static const HeldKey held{
        {.type = KeyType::unique},
        BlockCipher{*DecoderKey::from(Buffer{0xF9, 0x4B, 0x6E, 0xD3, 0x53, 0xC3, 0xBF, 0xDB, 0x11, 0x3E, 0x2D,
                                             0x3A, 0x7E, 0xA3, 0xC4, 0x1D})}};
    return held;
}

void look_into(const Token& token) {
    assert(parse_token(to_string(token)) == token);
    const Opening opening = open(token, &key());
    if (!opening.content) return;
    assert(seal(*opening.content, key().cipher) == token);
    if (const auto* section = std::get_if<KeySection>(&*opening.content)) {
        const KeySection sections[] = {*section, *section};
        assert(!assemble(sections, Algorithm::ea07));
        static_cast<void>(flags_of(*section));
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text{reinterpret_cast<const char*>(data), size};
    if (const auto token = parse_token(text)) look_into(*token);
    static_cast<void>(MeterPan::parse(text).index());
    if (size < 9) return 0;
    Block block{static_cast<TokenClass>(data[0] & 3), 0};
    for (std::size_t i = 1; i < 9; ++i) block.bits = block.bits << 8 | data[i];
    const auto content = decode(block);
    if (const auto* good = std::get_if<Content>(&content)) {
        assert(encode(*good) == block);
        look_into(seal(*good, key().cipher));
    }
    return 0;
}
