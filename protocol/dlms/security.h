#pragma once
#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "protocol/base/cipher.h"
#include "protocol/base/id.h"
#include "protocol/base/result.h"
#include "protocol/dlms/hls.h"
#include "protocol/dlms/protection.h"
#include "protocol/dlms/security_frame.h"

namespace wattmesh::dlms {

/// Security suites (Green Book (DLMS UA 1000-2) ed. 10, 9.2.3.7): AES-GCM-128; the same with ECDSA and ECDH
/// on P-256; AES-GCM-256 with both on P-384.
enum class Suite : std::uint8_t { zero = 0, one = 1, two = 2 };
/// Octets of each symmetric key: 16, in suite 2 32.
constexpr std::size_t key_size(Suite suite) { return suite == Suite::two ? 32 : 16; }
constexpr Curve curve_of(Suite suite) { return suite == Suite::two ? Curve::p384 : Curve::p256; }

/// Keys of one client of one meter, each of key_size(suite). Wiped when they go.
struct ClientKeys {
    SymmetricKey encryption{};                ///< global unicast encryption key (EK)
    SymmetricKey authentication{};            ///< authentication key (AK)
    std::optional<SymmetricKey> broadcast{};  ///< global broadcast encryption key
    std::optional<SymmetricKey> master{};     ///< key-encryption key, for keys that travel wrapped
    void set(KeyKind kind, const SymmetricKey& key);
};

/// How an association protects its APDUs. The default is what every meter can: suite 0, authenticated and
/// encrypted, service-specific ciphering.
struct SecuritySettings {
    Suite suite = Suite::zero;
    /// Security control bits that we send with.
    std::uint8_t send = security_control::authenticated_encrypted;
    /// Bits without which nothing is taken. Never 0: to require `encrypted` alone accepts messages without a
    /// tag, which anybody can change; it is for one-way pushes whose meter has no other way.
    std::uint8_t require = security_control::authenticated_encrypted;
    Framing framing = Framing::service;
    bool mirror = false;     ///< answer as we were asked: framing and kind of key (a server)
    bool broadcast = false;  ///< send under the broadcast key
    bool sign = false;       ///< general-signing around what we send
    bool require_signature = false;
    bool empty_title_allowed = false;  ///< quirk empty_system_title

    Mechanism mechanism = Mechanism::high_gmac;  ///< what prove() and verify() do
    Buffer secret{};                             ///< HLS secret of mechanisms 2, 3, 4 and 6; wiped
    bool manufacturer_aes = false;               ///< mechanism 2 is AES-128 of the challenge at this meter

    /// Suites 1 and 2: own static keys and the peer's public ones (x || y).
    std::shared_ptr<PrivateKey> signing_key{}, agreement_key{};
    Buffer peer_signing_key{}, peer_agreement_key{};
    /// Counters of the broadcast key; it is refused where they are missing.
    CounterStore* broadcast_send = nullptr;
    CounterStore* broadcast_receive = nullptr;
    Random* random = nullptr;  ///< needed for Framing::wrapped_key

    SecuritySettings() = default;
    SecuritySettings(const SecuritySettings&) = default;
    SecuritySettings& operator=(const SecuritySettings&) = default;
    ~SecuritySettings();
};

/// Ciphering, signing and proofs of one association with keys in memory. Owns its cipher contexts; counters
/// come from the caller's stores: `send` strictly increasing over restarts, `receive` checked. A dedicated
/// key has counters of its own, from 0 with each association.
class SecurityContext final : public Protection {
public:
    /// Without `keys` it can only prove by mechanisms that need none.
    SecurityContext(const std::optional<ClientKeys>& keys, SystemTitle own, SystemTitle peer,
                    Ciphers& ciphers, CounterStore& send, CounterStore& receive,
                    SecuritySettings settings = {});
    ~SecurityContext() override;

    std::optional<Buffer> protect(Bytes apdu) override;
    Result<Buffer> open(Bytes apdu) override;
    Result<Bytes> open_in_place(std::span<std::uint8_t> apdu) override;
    std::size_t protected_size(std::size_t plain_size) const override;
    std::optional<Buffer> prove(const Challenges& challenges) override;
    bool verify(const Challenges& challenges, Bytes proof) override;
    void set_peer(SystemTitle peer) override { peer_ = peer; }
    bool set_dedicated_key(const std::optional<SymmetricKey>& key) override;
    std::optional<std::uint32_t> expected_counter() const override { return receive_.expected(); }
    bool replace_key(KeyKind kind, const SymmetricKey& key) override;

private:
    /// A key with its counters.
    struct Cipher {
        std::unique_ptr<Aead> aead;
        CounterStore* send = nullptr;
        CounterStore* receive = nullptr;
    };
    struct SessionCounters;
    struct SendingKey;

    Result<std::span<std::uint8_t>> open_ciphered(std::span<std::uint8_t> message);
    Result<std::span<std::uint8_t>> open_signed(std::span<std::uint8_t> message);
    Result<Cipher*> cipher_for(const CipheredApdu& apdu);
    Result<Cipher*> general_cipher_for(const CipheredApdu& apdu);
    bool decipher(Cipher& cipher, const CipheredApdu& apdu, std::span<std::uint8_t> text);

    std::optional<Buffer> protect_general_ciphering(Bytes apdu, Framing framing);
    std::optional<SendingKey> sending_key(Framing framing, Bytes transaction_id);
    void load_keys();
    void seal(Cipher& cipher, std::uint8_t control, std::uint32_t counter, Bytes header,
              std::span<std::uint8_t> text, std::span<std::uint8_t> tag);
    std::optional<Buffer> signed_form(Bytes content) const;

    std::size_t key_info_size() const;
    std::uint8_t control_octet() const;
    Bytes key_data(std::uint8_t control);
    HlsTools tools();

    std::optional<ClientKeys> keys_;
    SystemTitle own_, peer_;
    Ciphers& ciphers_;
    CounterStore& send_;
    CounterStore& receive_;
    SecuritySettings settings_;
    Cipher global_, broadcast_, dedicated_, once_;
    std::unique_ptr<SessionCounters> session_;
    std::array<std::uint8_t, 33> additional_{};  ///< SC || AK, ready for every message
    Framing framing_;
    std::uint32_t transaction_ = 0;  ///< counter of the message in hand, which is its transaction id
    bool use_dedicated_ = false;
    std::optional<std::uint32_t> opened_;       // counter of the last APDU
    std::optional<std::uint32_t> proof_least_;  // what a proof inside it may have at least
};

/// Overwrites a secret that is about to go.
void wipe(std::span<std::uint8_t> secret);
/// Initialisation vector: system title || invocation counter (Green Book ed. 10, 9.2.3.3.7.3).
std::array<std::uint8_t, 12> nonce(const SystemTitle& title, std::uint32_t counter);

}  // namespace wattmesh::dlms
