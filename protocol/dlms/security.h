#pragma once
#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "protocol/base/cipher.h"
#include "protocol/base/id.h"
#include "protocol/base/result.h"
#include "protocol/dlms/protection.h"

namespace wattmesh::dlms {

/// Authentication mechanisms (Green Book 9.2.2.2.2; name 2.16.756.5.8.2.n).
enum class Mechanism : std::uint8_t { none = 0, low = 1, high_gmac = 5 };

/// Keys of one client of one meter: 16 octets each in suites 0 and 1, 32 in suite 2. Wiped when they go.
struct ClientKeys {
    SymmetricKey encryption;      ///< global unicast encryption key (EK)
    SymmetricKey authentication;  ///< authentication key (AK)
};

/// Global ciphering of one association, suite 0, authenticated and encrypted (SC 0x30). Owns its two cipher
/// contexts; counters come from the caller's stores: `send` strictly increasing over restarts, `receive`
/// checked.
class SecurityContext final : public Protection {
public:
    SecurityContext(const ClientKeys& keys, SystemTitle own, SystemTitle peer, Ciphers& ciphers,
                    CounterStore& send, CounterStore& receive);
    /// glo-xxx form of a plain APDU (0x01->0x21, C0->C8, C1->C9, C3->CB, C4->CC, C5->CD, C7->CF, 08->28).
    /// Nothing when the counter is used up.
    std::optional<Buffer> protect(Bytes apdu) override;
    /// The plain APDU inside; faults: unsupported security control, not_authentic, replayed, bad_tag,
    /// truncated. The tag is verified before the counter is accepted and before anything is decoded.
    Result<Buffer> open(Bytes apdu) override;
    Result<Bytes> open_in_place(std::span<std::uint8_t> apdu) override;
    std::size_t protected_size(std::size_t plain_size) const override;
    /// f(challenge) of HLS mechanism 5: 10 || IC || GMAC, 17 octets (Green Book 9.2.7.4).
    std::optional<Buffer> prove(const Challenges& challenges) override;
    /// Verifies the peer's proof over our challenge and accepts its counter.
    bool verify(const Challenges& challenges, Bytes proof) override;
    void set_peer(SystemTitle peer) override { peer_ = peer; }

private:
    std::array<std::uint8_t, 12> nonce(const SystemTitle& title, std::uint32_t counter) const;
    SymmetricKey authentication_;
    SystemTitle own_, peer_;
    std::unique_ptr<Aead> aead_;
    CounterStore& send_;
    CounterStore& receive_;
    std::optional<std::uint32_t> opened_, opened_before_;  // counters of the last two APDUs opened
};

/// Overwrites a secret that is about to go.
void wipe(std::span<std::uint8_t> secret);

/// Global ciphered tag of a plain APDU tag and back; nothing when there is none (Green Book ed. 10, 9.5).
std::optional<std::uint8_t> global_tag(std::uint8_t plain);
std::optional<std::uint8_t> plain_tag(std::uint8_t global);
}  // namespace wattmesh::dlms
