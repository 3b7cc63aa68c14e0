#include "protocol/dlms/key_exchange.h"

#include <algorithm>
#include <cassert>
#include <utility>

#include "protocol/dlms/key_agreement.h"

namespace wattmesh::dlms {

namespace {

/// Element of the argument and of the answer: structure{enum key-id, octet-string public key || signature}.
struct HalfExchange {
    KeyKind kind{};
    Buffer public_key;
};

Buffer signed_octets(KeyKind kind, Bytes public_key) {
    Buffer out{static_cast<std::uint8_t>(kind)};
    out.insert(out.end(), public_key.begin(), public_key.end());
    return out;
}

Data encode_half(KeyKind kind, const Buffer& public_key, PrivateKey& own_signing) {
    Buffer data = public_key;
    const Buffer signature = own_signing.sign(signed_octets(kind, public_key));
    data.insert(data.end(), signature.begin(), signature.end());
    Structure pair;
    pair.elements.emplace_back(Enum{static_cast<std::uint8_t>(kind)});
    pair.elements.emplace_back(OctetString{std::move(data)});
    return Data{std::move(pair)};
}

std::optional<HalfExchange> decode_half(const Data& element, Ciphers& ciphers, Curve curve,
                                        Bytes peer_signing) {
    const auto* pair = std::get_if<Structure>(&element.value);
    if (!pair || pair->elements.size() != 2) return std::nullopt;
    const auto* id = std::get_if<Enum>(&pair->elements[0].value);
    const auto* data = std::get_if<OctetString>(&pair->elements[1].value);
    const std::size_t size = 2 * coordinate_size(curve);
    if (!id || id->value > static_cast<std::uint8_t>(KeyKind::master)) return std::nullopt;
    if (!data || data->octets.size() != 2 * size) return std::nullopt;
    const auto kind = static_cast<KeyKind>(id->value);
    const Bytes octets = data->octets, public_key = octets.first(size);
    if (!ciphers.verify(curve, peer_signing, signed_octets(kind, public_key), octets.subspan(size)))
        return std::nullopt;
    return HalfExchange{kind, to_buffer(public_key)};
}

/// Of all elements, or nothing when one is wrong or a kind comes twice.
std::optional<std::vector<HalfExchange>> decode_halves(const Data& data, Ciphers& ciphers, Curve curve,
                                                       Bytes peer_signing) {
    constexpr std::size_t kinds_max = static_cast<std::size_t>(KeyKind::master) + 1;
    const auto* array = std::get_if<Array>(&data.value);
    if (!array || array->elements.empty() || array->elements.size() > kinds_max) return std::nullopt;
    std::vector<HalfExchange> out;
    for (const Data& element : array->elements) {
        auto half = decode_half(element, ciphers, curve, peer_signing);
        if (!half || std::ranges::find(out, half->kind, &HalfExchange::kind) != out.end())
            return std::nullopt;
        out.push_back(std::move(*half));
    }
    return out;
}

/// The master key wraps keys, the others go into AES-GCM.
KeyUse use_of(KeyKind kind, Curve curve) {
    const bool wraps = kind == KeyKind::master;
    if (curve == Curve::p256) return wraps ? KeyUse::wrap_128 : KeyUse::gcm_128;
    return wraps ? KeyUse::wrap_256 : KeyUse::gcm_256;
}

std::optional<SymmetricKey> derive(Ciphers& ciphers, KeyKind kind, PrivateKey& own, Bytes peer_public,
                                   SystemTitle client, SystemTitle server) {
    auto z = own.agree(peer_public);
    if (!z) return std::nullopt;
    const Curve curve = own.curve();
    SymmetricKey key = derive_key(ciphers, curve, *z, use_of(kind, curve), client.octets, server.octets);
    wipe(*z);
    return key;
}

}  // namespace

KeyExchange::KeyExchange(Ciphers& ciphers, PrivateKey& own_signing, SystemTitle client, SystemTitle server,
                         const std::vector<KeyKind>& kinds)
    : ciphers_(ciphers), own_signing_(own_signing), client_(client), server_(server) {
    assert(!kinds.empty());
    for (const KeyKind kind : kinds) {
        assert(std::ranges::find(offers_, kind, &Offer::kind) == offers_.end());
        offers_.push_back({kind, ciphers.generate(own_signing.curve())});
    }
}

Data KeyExchange::argument() const {
    Array array;
    for (const Offer& offer : offers_)
        array.elements.push_back(encode_half(offer.kind, offer.ephemeral->public_key(), own_signing_));
    return Data{std::move(array)};
}

std::optional<std::vector<TransferredKey>> KeyExchange::finish(const Data& answer,
                                                               Bytes server_signing_public) const {
    const auto halves = decode_halves(answer, ciphers_, own_signing_.curve(), server_signing_public);
    if (!halves || halves->size() != offers_.size()) return std::nullopt;
    std::vector<TransferredKey> keys;
    for (const Offer& offer : offers_) {
        const auto half = std::ranges::find(*halves, offer.kind, &HalfExchange::kind);
        if (half == halves->end()) return std::nullopt;
        auto key = derive(ciphers_, offer.kind, *offer.ephemeral, half->public_key, client_, server_);
        if (!key) return std::nullopt;
        keys.push_back({offer.kind, *key});
    }
    return keys;
}

std::optional<AgreedKeys> answer_key_agreement(Ciphers& ciphers, const Data& argument,
                                               PrivateKey& own_signing, Bytes client_signing_public,
                                               SystemTitle client, SystemTitle server) {
    const Curve curve = own_signing.curve();
    const auto halves = decode_halves(argument, ciphers, curve, client_signing_public);
    if (!halves) return std::nullopt;
    AgreedKeys out;
    Array array;
    for (const HalfExchange& half : *halves) {
        const auto ephemeral = ciphers.generate(curve);
        auto key = derive(ciphers, half.kind, *ephemeral, half.public_key, client, server);
        if (!key) return std::nullopt;
        out.keys.push_back({half.kind, *key});
        array.elements.push_back(encode_half(half.kind, ephemeral->public_key(), own_signing));
    }
    out.answer = Data{std::move(array)};
    return out;
}

}  // namespace wattmesh::dlms
