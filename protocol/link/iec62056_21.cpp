#include "protocol/link/iec62056_21.h"

#include <algorithm>
#include <array>
#include <cassert>

#include "protocol/base/reader.h"
#include "protocol/base/writer.h"

namespace wattmesh::link {
namespace {

constexpr std::array<unsigned, 7> bauds{300, 600, 1'200, 2'400, 4'800, 9'600, 19'200};
constexpr std::uint8_t acknowledge = 0x06, carriage_return = 0x0D, line_feed = 0x0A, backslash = '\\';
constexpr std::size_t text_max = 32, enhanced_max = 4;

bool is_text(std::uint8_t octet) { return octet >= 0x20 && octet < 0x7F && octet != '/' && octet != '!'; }
bool is_letter(std::uint8_t octet) {
    return (octet >= 'A' && octet <= 'Z') || (octet >= 'a' && octet <= 'z');
}

/// Characters up to one that does not belong to it.
std::string text_of(Reader& in) {
    const std::size_t start = in.position();
    std::string text;
    while (in.peek() && is_text(*in.peek())) text += static_cast<char>(in.u8());
    if (text.size() > text_max) in.fail_at(Fault::too_long, start);
    return text;
}
void expect_line_end(Reader& in) {
    in.expect(carriage_return, Fault::bad_value).expect(line_feed, Fault::bad_value).expect_end();
}

}  // namespace

unsigned baud_of(char z) {
    const auto at = static_cast<std::size_t>(z - '0');
    return z >= '0' && at < bauds.size() ? bauds[at] : 0;
}

char baud_character(unsigned baud) {
    char z = '0';
    while (baud_of(static_cast<char>(z + 1)) != 0 && baud_of(static_cast<char>(z + 1)) <= baud) ++z;
    return z;
}

Result<SignOnRequest> decode_sign_on_request(Bytes message) {
    Reader in{message};
    in.expect('/').expect('?');
    SignOnRequest request{text_of(in)};
    in.expect('!', Fault::bad_value);
    expect_line_end(in);
    if (in.error()) return *in.error();
    return request;
}

Buffer encode(const SignOnRequest& request) {
    assert(request.address.size() <= text_max);
    Writer out;
    out.u8('/').u8('?').bytes(as_bytes(request.address)).u8('!').u8(carriage_return).u8(line_feed);
    return out.take();
}

bool asks(const SignOnRequest& request, const std::string& address) {
    const auto significant = [](const std::string& text) {
        const auto first = std::find_if(text.begin(), text.end(), [](char c) { return c != '0'; });
        return std::string(first, text.end());
    };
    return request.address.empty() || significant(request.address) == significant(address);
}

Result<SignOnIdentification> decode_sign_on_identification(Bytes message) {
    Reader in{message};
    in.expect('/');
    SignOnIdentification made;
    for (int i = 0; i < 3; ++i) {
        const std::size_t at = in.position();
        const std::uint8_t letter = in.u8();
        if (in.ok() && !is_letter(letter)) in.fail_at(Fault::bad_value, at);
        made.manufacturer += static_cast<char>(letter);
    }
    const std::size_t baud_at = in.position();
    made.baud = static_cast<char>(in.u8());
    if (in.ok() && !is_text(static_cast<std::uint8_t>(made.baud))) in.fail_at(Fault::bad_value, baud_at);
    while (in.peek() == backslash) {
        const std::size_t at = in.position();
        in.skip(1);
        made.enhanced += static_cast<char>(in.u8());
        if (made.enhanced.size() > enhanced_max) in.fail_at(Fault::too_long, at);
        if (in.ok() && !is_text(static_cast<std::uint8_t>(made.enhanced.back())))
            in.fail_at(Fault::bad_value, at + 1);
    }
    made.identification = text_of(in);
    expect_line_end(in);
    if (in.error()) return *in.error();
    return made;
}

Buffer encode(const SignOnIdentification& identification) {
    assert(identification.manufacturer.size() == 3 && identification.identification.size() <= text_max);
    Writer out;
    out.u8('/').bytes(as_bytes(identification.manufacturer));
    out.u8(static_cast<std::uint8_t>(identification.baud));
    for (const char w : identification.enhanced) out.u8(backslash).u8(static_cast<std::uint8_t>(w));
    out.bytes(as_bytes(identification.identification)).u8(carriage_return).u8(line_feed);
    return out.take();
}

Result<SignOnSelect> decode_sign_on_select(Bytes message) {
    Reader in{message};
    in.expect(acknowledge);
    SignOnSelect select;
    for (char* part : {&select.protocol, &select.baud, &select.mode}) {
        const std::size_t at = in.position();
        const std::uint8_t octet = in.u8();
        if (in.ok() && !is_text(octet)) in.fail_at(Fault::bad_value, at);
        *part = static_cast<char>(octet);
    }
    expect_line_end(in);
    if (in.error()) return *in.error();
    return select;
}

Buffer encode(const SignOnSelect& select) {
    Writer out;
    out.u8(acknowledge);
    for (const char part : {select.protocol, select.baud, select.mode})
        out.u8(static_cast<std::uint8_t>(part));
    return out.u8(carriage_return).u8(line_feed).take();
}

}  // namespace wattmesh::link
