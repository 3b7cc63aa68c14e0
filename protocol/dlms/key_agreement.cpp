#include "protocol/dlms/key_agreement.h"

#include "protocol/base/writer.h"
#include "protocol/dlms/data.h"
#include "protocol/dlms/security.h"

namespace wattmesh::dlms {

namespace {

KeyUse cipher_use(Curve curve) { return curve == Curve::p256 ? KeyUse::gcm_128 : KeyUse::gcm_256; }

/// Z, which goes as soon as the key is derived.
std::optional<SymmetricKey> agree(Ciphers& ciphers, PrivateKey& own, Bytes peer_public, Bytes party_u,
                                  Bytes party_v) {
    auto z = own.agree(peer_public);
    if (!z) return std::nullopt;
    const Curve curve = own.curve();
    SymmetricKey key = derive_key(ciphers, curve, *z, cipher_use(curve), party_u, party_v);
    wipe(*z);
    return key;
}

}  // namespace

SymmetricKey derive_key(Ciphers& ciphers, Curve curve, Bytes z, KeyUse use, Bytes party_u, Bytes party_v) {
    Writer input;
    input.u32(1).bytes(z);
    input.u32(0x60857405).u16(0x0803).u8(static_cast<std::uint8_t>(use));
    input.bytes(party_u).bytes(party_v);
    Buffer message = input.take();
    Buffer hash = ciphers.digest(curve == Curve::p256 ? Digest::sha256 : Digest::sha384, message);
    const bool wide = use == KeyUse::gcm_256 || use == KeyUse::wrap_256;
    const SymmetricKey key = *SymmetricKey::from(Bytes{hash}.first(wide ? 32 : 16));
    wipe(message);
    wipe(hash);
    return key;
}

std::optional<OnePassKey> one_pass_send(Ciphers& ciphers, PrivateKey& own_signing, Bytes recipient_public,
                                        SystemTitle own, SystemTitle recipient) {
    const auto ephemeral = ciphers.generate(own_signing.curve());
    const auto key = agree(ciphers, *ephemeral, recipient_public, own.octets, recipient.octets);
    if (!key) return std::nullopt;
    Buffer data = ephemeral->public_key();
    const Buffer signature = own_signing.sign(data);
    data.insert(data.end(), signature.begin(), signature.end());
    return OnePassKey{*key, std::move(data)};
}

std::optional<SymmetricKey> one_pass_receive(Ciphers& ciphers, PrivateKey& own_agreement,
                                             Bytes sender_signing_public, Bytes ciphered_data,
                                             SystemTitle sender, SystemTitle own) {
    const Curve curve = own_agreement.curve();
    const std::size_t size = 2 * coordinate_size(curve);
    if (ciphered_data.size() != 2 * size) return std::nullopt;
    const Bytes ephemeral = ciphered_data.first(size);
    if (!ciphers.verify(curve, sender_signing_public, ephemeral, ciphered_data.subspan(size)))
        return std::nullopt;
    return agree(ciphers, own_agreement, ephemeral, sender.octets, own.octets);
}

std::optional<SymmetricKey> static_key(Ciphers& ciphers, PrivateKey& own_agreement,
                                       Bytes peer_agreement_public, SystemTitle sender, Bytes transaction_id,
                                       SystemTitle recipient) {
    Writer party_u;
    party_u.bytes(sender.octets);
    encode_length(party_u, transaction_id.size());
    party_u.bytes(transaction_id);
    return agree(ciphers, own_agreement, peer_agreement_public, party_u.view(), recipient.octets);
}

}  // namespace wattmesh::dlms
