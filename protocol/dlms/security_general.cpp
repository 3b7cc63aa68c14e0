#include <algorithm>

#include "protocol/base/writer.h"
#include "protocol/dlms/data.h"
#include "protocol/dlms/key_agreement.h"
#include "protocol/dlms/security.h"

/// general-ciphering and general-signing of SecurityContext. Source: Green Book (DLMS UA 1000-2) ed. 10,
/// 9.2.7.2.4 and 9.2.7.2.5.
namespace wattmesh::dlms {

namespace {

constexpr std::uint8_t key_id_unicast = 0, key_id_broadcast = 1, kek_id_master = 0;
constexpr std::uint8_t scheme_one_pass = 1, scheme_static = 2;
constexpr std::size_t control_size = 5, tag_size = 12;

std::array<std::uint8_t, 8> transaction_id(std::uint32_t counter) {
    std::array<std::uint8_t, 8> octets{};
    for (std::size_t i = 0; i < 4; ++i) octets[4 + i] = static_cast<std::uint8_t>(counter >> (24 - 8 * i));
    return octets;
}

/// Empty before the peer's title is known.
Bytes known(const SystemTitle& peer) { return peer == SystemTitle{} ? Bytes{} : Bytes{peer.octets}; }

bool is(Bytes title, const SystemTitle& expected) { return std::ranges::equal(title, expected.octets); }

}  // namespace

/// A key for one message and how the receiver gets it.
struct SecurityContext::SendingKey {
    std::optional<SymmetricKey> once;  ///< nothing: the key that key_info names
    KeyInfo info;
    Buffer data;  ///< what views in `info` look at
};

Result<SecurityContext::Cipher*> SecurityContext::general_cipher_for(const CipheredApdu& apdu) {
    const Error no_key{Fault::unsupported, 0};
    if (!is(apdu.header.originator, peer_)) return Error{Fault::not_authentic, 0};
    if (!apdu.header.recipient.empty() && !is(apdu.header.recipient, own_))
        return Error{Fault::not_authentic, 0};
    const bool broadcast = (apdu.control & security_control::broadcast_key) != 0;
    std::optional<SymmetricKey> once;
    if (const auto* wrapped = std::get_if<WrappedKey>(&apdu.key_info)) {
        if (!keys_->master || wrapped->kek_id != kek_id_master || broadcast) return no_key;
        auto key = ciphers_.key_wrap(*keys_->master)->unwrap(wrapped->wrapped);
        if (!key) return Error{Fault::not_authentic, 0};
        once = SymmetricKey::from(*key);
        wipe(*key);
    } else if (const auto* agreed = std::get_if<AgreedKey>(&apdu.key_info)) {
        PrivateKey* own_key = settings_.agreement_key.get();
        const bool one_pass = agreed->scheme == scheme_one_pass;
        const Buffer& peer_key = one_pass ? settings_.peer_signing_key : settings_.peer_agreement_key;
        if (!own_key || peer_key.empty() || broadcast) return no_key;
        once = one_pass ? one_pass_receive(ciphers_, *own_key, peer_key, agreed->ciphered_data, peer_, own_)
                        : static_key(ciphers_, *own_key, peer_key, peer_, apdu.header.transaction_id, own_);
        if (!once) return Error{Fault::not_authentic, 0};
    } else {
        const auto* identified = std::get_if<IdentifiedKey>(&apdu.key_info);
        const std::uint8_t id = identified  ? identified->key_id
                                : broadcast ? key_id_broadcast
                                            : key_id_unicast;
        if (id != (broadcast ? key_id_broadcast : key_id_unicast)) return Error{Fault::bad_value, 0};
        if (!broadcast) return &global_;
        if (!broadcast_.aead || !broadcast_.receive) return no_key;
        return &broadcast_;
    }
    if (!once || once->size() != key_size(settings_.suite)) return no_key;
    once_ = {ciphers_.aead(*once), &send_, &receive_};
    return &once_;
}

/// Nothing when what the framing needs is not configured or the peer's public key is none.
std::optional<SecurityContext::SendingKey> SecurityContext::sending_key(Framing framing, Bytes transaction) {
    SendingKey out;
    // A key is agreed with somebody: his title goes into it.
    const bool agreed = framing == Framing::one_pass_dh || framing == Framing::static_dh;
    if (agreed && peer_ == SystemTitle{}) return std::nullopt;
    switch (framing) {
        case Framing::wrapped_key: {
            if (!keys_->master || !settings_.random) return std::nullopt;
            std::array<std::uint8_t, 32> fresh{};
            settings_.random->fill(fresh);
            out.once = SymmetricKey::from(Bytes{fresh}.first(key_size(settings_.suite)));
            wipe(fresh);
            out.data = ciphers_.key_wrap(*keys_->master)->wrap(out.once->reveal());
            out.info = WrappedKey{kek_id_master, out.data};
            return out;
        }
        case Framing::one_pass_dh: {
            if (!settings_.signing_key || settings_.peer_agreement_key.empty()) return std::nullopt;
            auto fresh =
                one_pass_send(ciphers_, *settings_.signing_key, settings_.peer_agreement_key, own_, peer_);
            if (!fresh) return std::nullopt;
            out.once = fresh->key;
            out.data = std::move(fresh->ciphered_data);
            out.info = AgreedKey{scheme_one_pass, out.data};
            return out;
        }
        case Framing::static_dh:
            if (!settings_.agreement_key || settings_.peer_agreement_key.empty()) return std::nullopt;
            out.once = static_key(ciphers_, *settings_.agreement_key, settings_.peer_agreement_key, own_,
                                  transaction, peer_);
            if (!out.once) return std::nullopt;
            out.info = AgreedKey{scheme_static, {}};
            return out;
        default:
            out.info = IdentifiedKey{settings_.broadcast ? key_id_broadcast : key_id_unicast};
            return out;
    }
}

std::optional<Buffer> SecurityContext::protect_general_ciphering(Bytes apdu, Framing framing) {
    CounterStore& counters = settings_.broadcast ? *broadcast_.send : send_;
    const auto counter = counters.next();
    if (!counter) return std::nullopt;
    transaction_ = *counter;
    const auto transaction = transaction_id(*counter);
    const auto key = sending_key(framing, transaction);
    if (!key) return std::nullopt;
    if (key->once) {
        if (key->once->size() != key_size(settings_.suite)) return std::nullopt;
        once_ = {ciphers_.aead(*key->once), &send_, &receive_};
    }
    Cipher& cipher = key->once ? once_ : settings_.broadcast ? broadcast_ : global_;

    const std::uint8_t control = control_octet();
    const std::size_t tag = (control & security_control::authenticated) != 0 ? tag_size : 0;
    Writer out;
    out.reserve(protected_size(apdu.size()));
    out.u8(tag_general_ciphering);
    encode(out, GeneralHeader{transaction, own_.octets, known(peer_), {}, {}});
    const std::size_t header_size = out.size() - 1;
    encode(out, key->info);
    encode_length(out, control_size + apdu.size() + tag);
    out.u8(control).u32(*counter);
    const std::size_t text_at = out.size();
    Buffer message = out.bytes(apdu).take();
    message.resize(text_at + apdu.size() + tag);
    const Buffer header{message.begin() + 1, message.begin() + 1 + static_cast<std::ptrdiff_t>(header_size)};
    const auto text = std::span{message}.subspan(text_at, apdu.size());
    seal(cipher, control, *counter, header, text, std::span{message}.subspan(text_at + apdu.size()));
    return message;
}

Result<std::span<std::uint8_t>> SecurityContext::open_signed(std::span<std::uint8_t> message) {
    const auto apdu = decode_signed(message);
    if (!apdu) return apdu.error();
    const Bytes key = settings_.peer_signing_key;
    if (key.empty()) return Error{Fault::unsupported, 0};
    const bool ours = is(apdu->header.originator, peer_) &&
                      (apdu->header.recipient.empty() || is(apdu->header.recipient, own_));
    Buffer input = to_buffer(apdu->header_octets);
    input.insert(input.end(), apdu->content.begin(), apdu->content.end());
    if (!ours || !ciphers_.verify(curve_of(settings_.suite), key, input, apdu->signature))
        return Error{Fault::not_authentic, message.size() - apdu->signature.size()};
    const auto at = static_cast<std::size_t>(apdu->content.data() - message.data());
    return message.subspan(at, apdu->content.size());
}

/// Nothing without a signing key.
std::optional<Buffer> SecurityContext::signed_form(Bytes content) const {
    if (!settings_.signing_key) return std::nullopt;
    const auto transaction = transaction_id(transaction_);
    Writer header;
    encode(header, GeneralHeader{transaction, own_.octets, known(peer_), {}, {}});
    Writer input;
    const Buffer signature = settings_.signing_key->sign(input.bytes(header.view()).bytes(content).view());
    Writer out;
    out.reserve(content.size() + header.size() + signature.size() + 12);
    out.u8(tag_general_signing).bytes(header.view());
    encode_length(out, content.size());
    out.bytes(content);
    encode_length(out, signature.size());
    out.bytes(signature);
    return out.take();
}

}  // namespace wattmesh::dlms
