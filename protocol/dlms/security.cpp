#include "protocol/dlms/security.h"

#include <algorithm>
#include <cassert>
#include <utility>

#include "protocol/base/reader.h"
#include "protocol/base/writer.h"
#include "protocol/dlms/data.h"

namespace wattmesh::dlms {

namespace {

constexpr std::uint8_t suite0_authenticated = 0x10;
constexpr std::uint8_t suite0_authenticated_encrypted = 0x30;
constexpr std::size_t tag_size = 12;
constexpr std::size_t header_size = 5;  // security control and invocation counter

struct TagPair {
    std::uint8_t plain, global;
};
/// Source: Green Book ed. 10, 9.5 (glo-ciphered APDUs).
constexpr TagPair global_tags[] = {{0x01, 0x21}, {0x08, 0x28}, {0xC0, 0xC8}, {0xC1, 0xC9},
                                   {0xC3, 0xCB}, {0xC4, 0xCC}, {0xC5, 0xCD}, {0xC7, 0xCF}};

/// Additional data: SC || AK || text (Green Book ed. 10, 9.2.7.2.4). Wiped, because it holds a key.
class AdditionalData {
public:
    AdditionalData(std::uint8_t control, const SymmetricKey& key, Bytes text) {
        octets_.reserve(1 + key.reveal().size() + text.size());
        octets_.push_back(control);
        octets_.insert(octets_.end(), key.reveal().begin(), key.reveal().end());
        octets_.insert(octets_.end(), text.begin(), text.end());
    }
    AdditionalData(const AdditionalData&) = delete;
    AdditionalData& operator=(const AdditionalData&) = delete;
    ~AdditionalData() { wipe(octets_); }
    Bytes view() const { return octets_; }

private:
    Buffer octets_;
};

}  // namespace

void wipe(std::span<std::uint8_t> secret) {
    // volatile: the wipe of a dying object must not be optimised away
    volatile std::uint8_t* octet = secret.data();
    for (std::size_t i = 0; i < secret.size(); ++i) octet[i] = 0;
}

std::optional<std::uint8_t> global_tag(std::uint8_t plain) {
    for (const TagPair& pair : global_tags)
        if (pair.plain == plain) return pair.global;
    return std::nullopt;
}

std::optional<std::uint8_t> plain_tag(std::uint8_t global) {
    for (const TagPair& pair : global_tags)
        if (pair.global == global) return pair.plain;
    return std::nullopt;
}

std::size_t SecurityContext::protected_size(std::size_t plain_size) const {
    const std::size_t content = header_size + plain_size + tag_size;
    Writer length;
    encode_length(length, content);
    return 1 + length.size() + content;
}

SecurityContext::SecurityContext(const ClientKeys& keys, SystemTitle own, SystemTitle peer, Ciphers& ciphers,
                                 CounterStore& send, CounterStore& receive)
    : authentication_(keys.authentication),
      own_(own),
      peer_(peer),
      aead_(ciphers.aead(keys.encryption)),
      send_(send),
      receive_(receive) {}

std::array<std::uint8_t, 12> SecurityContext::nonce(const SystemTitle& title, std::uint32_t counter) const {
    std::array<std::uint8_t, 12> octets{};
    std::copy(title.octets.begin(), title.octets.end(), octets.begin());
    for (std::size_t i = 0; i < 4; ++i) octets[8 + i] = static_cast<std::uint8_t>(counter >> (24 - 8 * i));
    return octets;
}

std::optional<Buffer> SecurityContext::protect(Bytes apdu) {
    assert(!apdu.empty());
    const auto tag = global_tag(apdu[0]);
    assert(tag && "only APDUs that have a global ciphered form are protected");
    const auto counter = send_.next();
    if (!counter) return std::nullopt;

    Buffer text = to_buffer(apdu);
    std::array<std::uint8_t, tag_size> authentication_tag{};
    const AdditionalData additional{suite0_authenticated_encrypted, authentication_, {}};
    aead_->seal(nonce(own_, *counter), additional.view(), text, authentication_tag);

    Writer out;
    out.u8(*tag);
    encode_length(out, header_size + text.size() + tag_size);
    out.u8(suite0_authenticated_encrypted).u32(*counter).bytes(text).bytes(authentication_tag);
    return out.take();
}

Result<Buffer> SecurityContext::open(Bytes apdu) {
    Buffer copy = to_buffer(apdu);
    const auto plain = open_in_place(copy);
    if (!plain) return plain.error();
    return to_buffer(*plain);
}

Result<Bytes> SecurityContext::open_in_place(std::span<std::uint8_t> apdu) {
    Reader in{apdu};
    const auto tag = plain_tag(in.u8());
    if (in.ok() && !tag) in.fail_at(Fault::bad_tag, 0);
    const std::size_t length = decode_length(in);
    if (in.ok() && length > in.remaining()) in.fail(Fault::truncated);
    if (in.ok() && length < in.remaining()) in.fail(Fault::trailing);
    in.expect(suite0_authenticated_encrypted, Fault::unsupported);
    const std::uint32_t counter = in.u32();
    if (in.ok() && in.remaining() < tag_size + 1) in.fail(Fault::truncated);
    if (in.error()) return *in.error();

    const std::size_t text_size = in.remaining() - tag_size;
    const auto text = apdu.subspan(in.position(), text_size);
    in.skip(text_size);
    const AdditionalData additional{suite0_authenticated_encrypted, authentication_, {}};
    if (!aead_->open(nonce(peer_, counter), additional.view(), text, in.rest()))
        return Error{Fault::not_authentic, in.position()};
    if (!receive_.accept(counter)) return Error{Fault::replayed, 0};
    opened_before_ = std::exchange(opened_, counter);
    if (text[0] != *tag) return Error{Fault::bad_tag, 0};
    return Bytes{text};
}

std::optional<Buffer> SecurityContext::prove(const Challenges& challenges) {
    const auto counter = send_.next();
    if (!counter) return std::nullopt;
    std::array<std::uint8_t, tag_size> tag{};
    const AdditionalData additional{suite0_authenticated, authentication_, challenges.peer};
    aead_->seal(nonce(own_, *counter), additional.view(), {}, tag);
    Writer out;
    out.u8(suite0_authenticated).u32(*counter).bytes(tag);
    return out.take();
}

bool SecurityContext::verify(const Challenges& challenges, Bytes proof) {
    Reader in{proof};
    in.expect(suite0_authenticated, Fault::unsupported);
    const std::uint32_t counter = in.u32();
    const Bytes tag = in.bytes(tag_size);
    in.expect_end();
    if (in.error()) return false;
    const AdditionalData additional{suite0_authenticated, authentication_, challenges.own};
    if (!aead_->open(nonce(peer_, counter), additional.view(), {}, tag)) return false;
    // A sender computes its proof before it ciphers the APDU around it: the proof's counter then lies between
    // those of the last two APDUs. Alone, it must be new.
    const bool within = opened_before_ && opened_ && counter > *opened_before_ && counter < *opened_;
    return within || receive_.accept(counter);
}

}  // namespace wattmesh::dlms
