#include "terminal-sim/meter/quirk_mask.h"

#include "protocol/base/reader.h"

namespace wattmesh::sim {
namespace {

constexpr std::uint8_t tag_aare = 0x61, tag_rlre = 0x63, tag_general_glo = 0xDB, tag_get_response = 0xC4;
constexpr std::uint8_t tag_user_information = 0xBE, tag_array = 0x01;
constexpr std::size_t title_size = 8;

std::size_t ber_length(Reader& in) {
    const std::uint8_t first = in.u8();
    return first == 0x81 ? in.u8() : first;  // an AARE of ours is shorter than 256 octets
}

/// The AARE without its field BE.
Buffer without_user_information(Bytes apdu) {
    Reader in{apdu};
    in.skip(1);
    ber_length(in);
    Buffer content;
    while (in.ok() && in.remaining() > 0) {
        const std::size_t start = in.position();
        const std::uint8_t tag = in.u8();
        in.skip(ber_length(in));
        if (!in.ok()) return to_buffer(apdu);
        if (tag == tag_user_information) continue;
        const Bytes field = apdu.subspan(start, in.position() - start);
        content.insert(content.end(), field.begin(), field.end());
    }
    Buffer out{tag_aare};
    if (content.size() >= 0x80) out.push_back(0x81);
    out.push_back(static_cast<std::uint8_t>(content.size()));
    out.insert(out.end(), content.begin(), content.end());
    return out;
}

/// A plain array in a GET-response, normal or first block, of which a row is not counted.
void count_one_less(Buffer& apdu) {
    std::size_t at = 4;  // tag, kind, invoke-id, data
    if (apdu.size() > 10 && apdu[1] == 0x02) {
        const bool first = apdu[4] == 0 && apdu[5] == 0 && apdu[6] == 0 && apdu[7] == 1 && apdu[8] == 0;
        if (!first) return;
        at = apdu[9] == 0x81 ? 11 : apdu[9] == 0x82 ? 12 : 10;
    } else if (apdu.size() < 7 || apdu[1] != 0x01 || apdu[3] != 0) {
        return;
    }
    // rows of a profile, not any array: structures that begin with a clock
    constexpr std::uint8_t tag_structure = 0x02, tag_octets = 0x09, clock_size = 0x0C;
    if (at + 2 >= apdu.size() || apdu[at] != tag_array) return;
    const std::size_t count = apdu[at + 1] == 0x81 ? at + 2 : apdu[at + 1] == 0x82 ? at + 3 : at + 1;
    if (count + 4 >= apdu.size() || apdu[count] < 2 || apdu[count + 1] != tag_structure ||
        apdu[count + 3] != tag_octets || apdu[count + 4] != clock_size)
        return;
    --apdu[count];
}

}  // namespace

Buffer with_quirks(const dlms::Quirks& quirks, Buffer apdu) {
    if (apdu.size() < 3) return apdu;
    if (quirks.missing_user_information && apdu[0] == tag_aare) return without_user_information(apdu);
    if (quirks.wrong_release_length && apdu[0] == tag_rlre) ++apdu[1];
    if (quirks.empty_system_title && apdu[0] == tag_general_glo && apdu[1] == title_size &&
        apdu.size() > 2 + title_size) {
        apdu[1] = 0;
        apdu.erase(apdu.begin() + 2, apdu.begin() + 2 + title_size);
    }
    if (quirks.more_rows_than_counted && apdu[0] == tag_get_response) count_one_less(apdu);
    return apdu;
}

}  // namespace wattmesh::sim
