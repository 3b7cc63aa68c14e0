#include "protocol/dlms/security.h"

#include <algorithm>
#include <cassert>
#include <limits>
#include <utility>

#include "protocol/base/writer.h"
#include "protocol/dlms/data.h"

namespace wattmesh::dlms {

namespace {

constexpr std::size_t tag_size = 12, title_size = 8;
constexpr std::size_t control_size = 5;  // security control and invocation counter
constexpr std::uint8_t tag_initiate_request = 0x01, tag_initiate_response = 0x08;

bool is_initiate(std::uint8_t tag) { return tag == tag_initiate_request || tag == tag_initiate_response; }

/// Octets that encode_length writes.
constexpr std::size_t length_size(std::size_t value) {
    return value < 0x80 ? 1 : value <= 0xFF ? 2 : value <= 0xFFFF ? 3 : value <= 0xFF'FFFF ? 4 : 5;
}

/// First octet of an APDU that is not ciphered.
bool is_plain(std::uint8_t tag) {
    constexpr std::uint8_t without_service_form[] = {0x0F, 0xD8, 0xD9, 0xDA, 0xE0};
    return global_tag(tag) || std::ranges::find(without_service_form, tag) != std::end(without_service_form);
}

std::span<std::uint8_t> tail(Buffer& buffer, std::size_t at) { return std::span{buffer}.subspan(at); }

}  // namespace

/// Counters of a dedicated key: in memory, from 0, gone with the key.
struct SecurityContext::SessionCounters {
    class Counter final : public CounterStore {
    public:
        std::optional<std::uint32_t> next() override {
            if (next_ > std::numeric_limits<std::uint32_t>::max()) return std::nullopt;
            return static_cast<std::uint32_t>(next_++);
        }
        bool accept(std::uint32_t received) override {
            if (received < next_) return false;
            next_ = std::uint64_t{received} + 1;
            return true;
        }
        void raise(std::uint32_t next) override { next_ = std::max<std::uint64_t>(next_, next); }

    private:
        std::uint64_t next_ = 0;
    };
    Counter send, receive;
};

void ClientKeys::set(KeyKind kind, const SymmetricKey& key) {
    switch (kind) {
        case KeyKind::unicast_encryption:
            encryption = key;
            return;
        case KeyKind::broadcast_encryption:
            broadcast = key;
            return;
        case KeyKind::authentication:
            authentication = key;
            return;
        case KeyKind::master:
            master = key;
            return;
    }
}

SecuritySettings::~SecuritySettings() { wipe(secret); }

void wipe(std::span<std::uint8_t> secret) {
    // volatile: the wipe of a dying object must not be optimised away
    volatile std::uint8_t* octet = secret.data();
    for (std::size_t i = 0; i < secret.size(); ++i) octet[i] = 0;
}

std::array<std::uint8_t, 12> nonce(const SystemTitle& title, std::uint32_t counter) {
    std::array<std::uint8_t, 12> octets{};
    std::copy(title.octets.begin(), title.octets.end(), octets.begin());
    for (std::size_t i = 0; i < 4; ++i) octets[8 + i] = static_cast<std::uint8_t>(counter >> (24 - 8 * i));
    return octets;
}

// By value: the caller's copy may go, ours is wiped. NOLINTNEXTLINE(performance-unnecessary-value-param)
SecurityContext::SecurityContext(const std::optional<ClientKeys>& keys, SystemTitle own, SystemTitle peer,
                                 Ciphers& ciphers, CounterStore& send, CounterStore& receive,
                                 SecuritySettings settings)
    : keys_(keys),
      own_(own),
      peer_(peer),
      ciphers_(ciphers),
      send_(send),
      receive_(receive),
      settings_(settings),
      framing_(settings.framing) {
    constexpr auto levels = security_control::authenticated_encrypted;
    assert((settings_.require & levels) != 0 && (settings_.require & ~levels) == 0);
    assert(!settings_.broadcast || (keys_ && keys_->broadcast && settings_.broadcast_send));
    if (keys_) load_keys();
}

void SecurityContext::load_keys() {
    const std::size_t size = key_size(settings_.suite);
    assert(keys_->encryption.size() == size && keys_->authentication.size() == size);
    const Bytes authentication = keys_->authentication.reveal();
    std::copy(authentication.begin(), authentication.end(), additional_.begin() + 1);
    global_ = {ciphers_.aead(keys_->encryption), &send_, &receive_};
    if (keys_->broadcast) {
        assert(keys_->broadcast->size() == size);
        broadcast_ = {ciphers_.aead(*keys_->broadcast), settings_.broadcast_send,
                      settings_.broadcast_receive};
    }
}

bool SecurityContext::replace_key(KeyKind kind, const SymmetricKey& key) {
    if (!keys_ || key.size() != key_size(settings_.suite)) return false;
    keys_->set(kind, key);
    if (kind == KeyKind::unicast_encryption) {
        send_.restart();
        receive_.restart();
        opened_.reset();
        proof_least_.reset();
    } else if (kind == KeyKind::broadcast_encryption) {
        if (settings_.broadcast_send) settings_.broadcast_send->restart();
        if (settings_.broadcast_receive) settings_.broadcast_receive->restart();
    }
    load_keys();
    return true;
}

SecurityContext::~SecurityContext() { wipe(additional_); }

std::uint8_t SecurityContext::control_octet() const {
    std::uint8_t control = settings_.send;
    if (settings_.broadcast) control |= security_control::broadcast_key;
    return static_cast<std::uint8_t>(control | static_cast<std::uint8_t>(settings_.suite));
}

/// SC || AK.
Bytes SecurityContext::key_data(std::uint8_t control) {
    additional_[0] = control;
    return Bytes{additional_}.first(1 + keys_->authentication.size());
}

bool SecurityContext::set_dedicated_key(const std::optional<SymmetricKey>& key) {
    dedicated_ = {};
    session_.reset();
    use_dedicated_ = false;
    framing_ = settings_.framing;
    opened_.reset();
    proof_least_.reset();
    if (!key) return true;
    if (!keys_ || key->size() != key_size(settings_.suite)) return false;
    session_ = std::make_unique<SessionCounters>();
    dedicated_ = {ciphers_.aead(*key), &session_->send, &session_->receive};
    use_dedicated_ = true;
    return true;
}

/// The most octets that Key-Info takes in this framing.
std::size_t SecurityContext::key_info_size() const {
    const std::size_t key = key_size(settings_.suite), point = 2 * coordinate_size(curve_of(settings_.suite));
    switch (framing_) {
        case Framing::identified_key:
            return 3;
        case Framing::wrapped_key:
            return 4 + key + 8;  // AES key wrap adds a semiblock: RFC 3394, 2.2.1
        case Framing::one_pass_dh:
            return 4 + length_size(2 * point) + 2 * point;  // a key and a signature
        case Framing::static_dh:
            return 5;
        default:
            return 0;
    }
}

std::size_t SecurityContext::protected_size(std::size_t plain_size) const {
    constexpr std::size_t field = 1 + title_size;
    constexpr std::size_t header = 1 + 3 * field + 2;  // tag, transaction id, titles, two empty fields
    const std::size_t tag = (settings_.send & security_control::authenticated) != 0 ? tag_size : 0;
    const std::size_t content = control_size + plain_size + tag;
    std::size_t size = 1 + length_size(content) + content;
    if (framing_ == Framing::general) size += field;
    if (is_general_ciphering(framing_)) size += header + key_info_size();
    if (settings_.sign)
        size += header + length_size(size) + 1 + 2 * coordinate_size(curve_of(settings_.suite));
    return size;
}

std::optional<Buffer> SecurityContext::protect(Bytes apdu) {
    assert(!apdu.empty() && keys_);
    const bool initiate = is_initiate(apdu[0]);
    Framing framing = framing_;
    if (is_general_ciphering(framing)) {
        auto out = protect_general_ciphering(apdu, framing);
        if (!out || !settings_.sign || initiate) return out;
        return signed_form(*out);
    }
    const bool dedicated = use_dedicated_ && !initiate && !settings_.broadcast;
    const auto service_tag = dedicated ? dedicated_tag(apdu[0]) : global_tag(apdu[0]);
    if (!service_tag) framing = Framing::general;
    if (initiate) framing = Framing::service;

    Cipher& cipher = settings_.broadcast ? broadcast_ : dedicated ? dedicated_ : global_;
    const auto counter = cipher.send->next();
    if (!counter) return std::nullopt;
    transaction_ = *counter;
    const std::uint8_t control = control_octet();
    const std::size_t tag = (control & security_control::authenticated) != 0 ? tag_size : 0;
    const std::size_t content = control_size + apdu.size() + tag;
    const std::size_t title = framing == Framing::general ? 1 + title_size : 0;

    Writer out;
    out.reserve(1 + title + length_size(content) + content);
    if (framing == Framing::general) {
        out.u8(dedicated ? tag_general_dedicated : tag_general_global).u8(title_size).bytes(own_.octets);
    } else {
        out.u8(*service_tag);
    }
    encode_length(out, content);
    out.u8(control).u32(*counter);
    const std::size_t text_at = out.size();
    Buffer message = out.bytes(apdu).take();
    message.resize(text_at + apdu.size() + tag);
    seal(cipher, control, *counter, {}, tail(message, text_at).first(apdu.size()),
         tail(message, text_at + apdu.size()));
    if (!settings_.sign || initiate) return message;
    return signed_form(message);
}

void SecurityContext::seal(Cipher& cipher, std::uint8_t control, std::uint32_t counter, Bytes header,
                           std::span<std::uint8_t> text, std::span<std::uint8_t> tag) {
    const auto iv = nonce(own_, counter);
    const bool encrypt = (control & security_control::encrypted) != 0;
    std::array<std::uint8_t, tag_size> unused{};
    if (tag.empty()) return cipher.aead->seal(iv, {}, text, unused);  // no tag: nothing is authenticated
    if (encrypt && header.empty()) return cipher.aead->seal(iv, key_data(control), text, tag);
    Buffer additional = to_buffer(key_data(control));
    additional.insert(additional.end(), header.begin(), header.end());
    if (!encrypt) additional.insert(additional.end(), text.begin(), text.end());
    cipher.aead->seal(iv, additional, encrypt ? text : std::span<std::uint8_t>{}, tag);
    wipe(additional);
}

Result<Buffer> SecurityContext::open(Bytes apdu) {
    Buffer copy = to_buffer(apdu);
    const auto plain = open_in_place(copy);
    if (!plain) return plain.error();
    // What was in front of the plain APDU goes: one copy was enough.
    const auto begin = copy.begin() + (plain->data() - copy.data());
    const auto size = static_cast<std::ptrdiff_t>(plain->size());
    std::copy(begin, begin + size, copy.begin());
    copy.resize(plain->size());
    return copy;
}

Result<Bytes> SecurityContext::open_in_place(std::span<std::uint8_t> apdu) {
    std::span<std::uint8_t> message = apdu;
    bool deciphered = false, verified = false;
    while (!message.empty() && is_protected(message[0])) {
        bool& done = message[0] == tag_general_signing ? verified : deciphered;
        if (std::exchange(done, true)) return Error{Fault::too_deep, 0};
        const auto inside = message[0] == tag_general_signing ? open_signed(message) : open_ciphered(message);
        if (!inside) return inside.error();
        message = *inside;
    }
    if (message.empty()) return Error{Fault::truncated, 0};
    if (!deciphered) return Error{Fault::bad_tag, 0};
    if (settings_.require_signature && !verified && !is_initiate(message[0])) return Error{Fault::refused, 0};
    return Bytes{message};
}

bool SecurityContext::decipher(Cipher& cipher, const CipheredApdu& apdu, std::span<std::uint8_t> text) {
    const auto iv = nonce(peer_, apdu.counter);
    if (apdu.tag.empty()) {  // the key stream is the same in both directions, and there is nothing to verify
        std::array<std::uint8_t, tag_size> unused{};
        cipher.aead->seal(iv, {}, text, unused);
        return true;
    }
    const bool encrypted = (apdu.control & security_control::encrypted) != 0;
    if (encrypted && apdu.header_octets.empty())
        return cipher.aead->open(iv, key_data(apdu.control), text, apdu.tag);
    Buffer additional = to_buffer(key_data(apdu.control));
    additional.insert(additional.end(), apdu.header_octets.begin(), apdu.header_octets.end());
    if (!encrypted) additional.insert(additional.end(), text.begin(), text.end());
    const bool right =
        cipher.aead->open(iv, additional, encrypted ? text : std::span<std::uint8_t>{}, apdu.tag);
    wipe(additional);
    if (!right) wipe(text);
    return right;
}

Result<std::span<std::uint8_t>> SecurityContext::open_ciphered(std::span<std::uint8_t> message) {
    const auto apdu = decode_ciphered(message);
    if (!apdu) return apdu.error();
    const std::size_t control_at = apdu->text_at - control_size;
    if ((apdu->control & security_control::suite_mask) != static_cast<std::uint8_t>(settings_.suite))
        return Error{Fault::unsupported, control_at};
    if ((apdu->control & settings_.require) != settings_.require) return Error{Fault::refused, control_at};
    const auto cipher = cipher_for(*apdu);
    if (!cipher) return cipher.error();
    const auto text = message.subspan(apdu->text_at, apdu->text_size);
    if (!decipher(**cipher, *apdu, text)) return Error{Fault::not_authentic, apdu->text_at + apdu->text_size};
    const bool fits = !apdu->plain_tag || text[0] == *apdu->plain_tag;
    // Without a tag only its sense tells a message from noise, whose counter must not count.
    if (apdu->tag.empty() && !(fits && is_plain(text[0]))) return Error{Fault::bad_tag, 0};
    // The first APDU that is opened comes after whatever was accepted in earlier associations.
    const auto least = opened_ ? std::optional{*opened_ + 1} : receive_.expected();
    if (!(*cipher)->receive->accept(apdu->counter)) return Error{Fault::replayed, 0};
    if ((*cipher)->receive == &receive_) {
        proof_least_ = least;
        opened_ = apdu->counter;
    }
    if (!fits) return Error{Fault::bad_tag, 0};
    if (settings_.mirror && !is_initiate(text[0]) && *cipher != &broadcast_) {
        framing_ = apdu->framing;
        use_dedicated_ = apdu->dedicated;
    }
    return text;
}

/// Which key opens it, and whether it is from our peer. A title that is not our peer's is a forgery: the
/// title is part of the initialisation vector.
Result<SecurityContext::Cipher*> SecurityContext::cipher_for(const CipheredApdu& apdu) {
    if (!keys_) return Error{Fault::unsupported, 0};
    if (is_general_ciphering(apdu.framing)) return general_cipher_for(apdu);
    if (apdu.framing == Framing::general) {
        if (apdu.title.empty() && !settings_.empty_title_allowed) return Error{Fault::bad_value, 1};
        if (!apdu.title.empty() && !std::ranges::equal(apdu.title, peer_.octets))
            return Error{Fault::not_authentic, 2};
    }
    if ((apdu.control & security_control::broadcast_key) != 0) {
        if (apdu.dedicated || !broadcast_.aead || !broadcast_.receive) return Error{Fault::unsupported, 0};
        return &broadcast_;
    }
    if (!apdu.dedicated) return &global_;
    if (!dedicated_.aead) return Error{Fault::refused, 0};
    return &dedicated_;
}

HlsTools SecurityContext::tools() {
    HlsTools tools{.ciphers = ciphers_};
    tools.secret = settings_.secret;
    tools.manufacturer_aes = settings_.manufacturer_aes;
    tools.suite = static_cast<std::uint8_t>(settings_.suite);
    tools.signing_key = settings_.signing_key.get();
    tools.peer_signing_key = settings_.peer_signing_key;
    if (keys_) {
        tools.aead = global_.aead.get();
        tools.authentication_key = keys_->authentication.reveal();
    }
    return tools;
}

std::optional<Buffer> SecurityContext::prove(const Challenges& challenges) {
    HlsTools with = tools();
    if (settings_.mechanism == Mechanism::high_gmac) with.counter = send_.next();
    const HlsPass pass{
        .prover = own_, .verifier = peer_, .challenge = challenges.peer, .prover_challenge = challenges.own};
    return hls_prove(settings_.mechanism, pass, with);
}

bool SecurityContext::verify(const Challenges& challenges, Bytes proof) {
    const HlsPass pass{
        .prover = peer_, .verifier = own_, .challenge = challenges.own, .prover_challenge = challenges.peer};
    const HlsVerdict verdict = hls_verify(settings_.mechanism, pass, proof, tools());
    if (!verdict.right || !verdict.counter) return verdict.right;
    // A sender computes its proof before it ciphers the APDU around it: the proof's counter then lies between
    // those of the last two APDUs, or before that of the first. Alone, it must be new.
    const std::uint32_t counter = *verdict.counter;
    const bool within = proof_least_ && opened_ && counter >= *proof_least_ && counter < *opened_;
    return within || receive_.accept(counter);
}

}  // namespace wattmesh::dlms
