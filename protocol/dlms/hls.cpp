#include "protocol/dlms/hls.h"

#include <array>

#include "protocol/base/reader.h"
#include "protocol/base/writer.h"
#include "protocol/dlms/security.h"

namespace wattmesh::dlms {

namespace {

using Proof = std::optional<Buffer>;

/// SHA or MD5 of parts in order; what was hashed is wiped, because a secret is among it.
Buffer hash(Ciphers& ciphers, Digest digest, std::initializer_list<Bytes> parts) {
    Writer input;
    for (const Bytes part : parts) input.bytes(part);
    Buffer message = input.take();
    Buffer result = ciphers.digest(digest, message);
    wipe(message);
    return result;
}

/// Mechanism 2 is the manufacturer's own. The one form that is widely met: AES-128 of the challenge padded
/// with zeros to whole blocks, under the secret padded with zeros.
Proof manufacturer(const HlsPass& pass, const HlsTools& tools) {
    if (!tools.manufacturer_aes || tools.secret.empty() || tools.secret.size() > 16) return std::nullopt;
    std::array<std::uint8_t, 16> key{};
    std::copy(tools.secret.begin(), tools.secret.end(), key.begin());
    Buffer blocks = to_buffer(pass.challenge);
    blocks.resize((blocks.size() + 15) / 16 * 16);
    Buffer proof = tools.ciphers.encrypt_blocks(Key128{key}, blocks);
    wipe(key);
    return proof;
}

Proof md5(const HlsPass& pass, const HlsTools& tools) {
    if (tools.secret.empty()) return std::nullopt;
    return hash(tools.ciphers, Digest::md5, {pass.challenge, tools.secret});
}

Proof sha1(const HlsPass& pass, const HlsTools& tools) {
    if (tools.secret.empty()) return std::nullopt;
    return hash(tools.ciphers, Digest::sha1, {pass.challenge, tools.secret});
}

Proof sha256(const HlsPass& pass, const HlsTools& tools) {
    if (tools.secret.empty()) return std::nullopt;
    return hash(
        tools.ciphers, Digest::sha256,
        {tools.secret, pass.prover.octets, pass.verifier.octets, pass.challenge, pass.prover_challenge});
}

/// SC || IC || GMAC, 17 octets.
constexpr std::size_t gmac_tag_size = 12;
constexpr std::uint8_t control_authenticated = 0x10;

Buffer gmac_input(const HlsPass& pass, const HlsTools& tools) {
    Writer input;
    input.u8(static_cast<std::uint8_t>(control_authenticated | tools.suite));
    input.bytes(tools.authentication_key).bytes(pass.challenge);
    return input.take();
}

Proof gmac(const HlsPass& pass, const HlsTools& tools) {
    if (!tools.aead || !tools.counter) return std::nullopt;
    Buffer input = gmac_input(pass, tools);
    std::array<std::uint8_t, gmac_tag_size> tag{};
    tools.aead->seal(nonce(pass.prover, *tools.counter), input, {}, tag);
    Writer out;
    out.u8(input[0]).u32(*tools.counter).bytes(tag);
    wipe(input);
    return out.take();
}

HlsVerdict verify_gmac(const HlsPass& pass, Bytes proof, const HlsTools& tools) {
    if (!tools.aead) return {};
    Reader in{proof};
    in.expect(static_cast<std::uint8_t>(control_authenticated | tools.suite));
    const std::uint32_t counter = in.u32();
    const Bytes tag = in.bytes(gmac_tag_size);
    in.expect_end();
    if (in.error()) return {};
    Buffer input = gmac_input(pass, tools);
    const bool right = tools.aead->open(nonce(pass.prover, counter), input, {}, tag);
    wipe(input);
    return {right, counter};
}

Buffer ecdsa_input(const HlsPass& pass) {
    Writer input;
    input.bytes(pass.prover.octets).bytes(pass.verifier.octets);
    input.bytes(pass.challenge).bytes(pass.prover_challenge);
    return input.take();
}

Proof ecdsa(const HlsPass& pass, const HlsTools& tools) {
    if (!tools.signing_key) return std::nullopt;
    return tools.signing_key->sign(ecdsa_input(pass));
}

HlsVerdict verify_ecdsa(const HlsPass& pass, Bytes proof, const HlsTools& tools) {
    const Bytes key = tools.peer_signing_key;
    if (key.empty()) return {};
    const Curve curve = key.size() == 2 * coordinate_size(Curve::p256) ? Curve::p256 : Curve::p384;
    return {tools.ciphers.verify(curve, key, ecdsa_input(pass), proof), {}};
}

struct Entry {
    Mechanism mechanism;
    Proof (*prove)(const HlsPass&, const HlsTools&);
    /// Null: whoever can prove can verify, by doing it again.
    HlsVerdict (*verify)(const HlsPass&, Bytes, const HlsTools&);
};
constexpr Entry mechanisms[] = {
    {Mechanism::high_manufacturer, manufacturer, nullptr},
    {Mechanism::high_md5, md5, nullptr},
    {Mechanism::high_sha1, sha1, nullptr},
    {Mechanism::high_gmac, gmac, verify_gmac},
    {Mechanism::high_sha256, sha256, nullptr},
    {Mechanism::high_ecdsa, ecdsa, verify_ecdsa},
};

const Entry* find(Mechanism mechanism) {
    for (const Entry& entry : mechanisms)
        if (entry.mechanism == mechanism) return &entry;
    return nullptr;
}

}  // namespace

std::optional<Buffer> hls_prove(Mechanism mechanism, const HlsPass& pass, const HlsTools& tools) {
    const Entry* entry = find(mechanism);
    return entry ? entry->prove(pass, tools) : std::nullopt;
}

HlsVerdict hls_verify(Mechanism mechanism, const HlsPass& pass, Bytes proof, const HlsTools& tools) {
    const Entry* entry = find(mechanism);
    if (!entry) return {};
    if (entry->verify) return entry->verify(pass, proof, tools);
    const Proof expected = entry->prove(pass, tools);
    return {expected && equal_constant_time(*expected, proof), {}};
}

}  // namespace wattmesh::dlms
