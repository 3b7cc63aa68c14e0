#pragma once
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>

#include "protocol/base/bytes.h"
#include "protocol/base/id.h"
#include "protocol/base/result.h"
#include "protocol/base/secret.h"

namespace wattmesh::dlms {

/// key-id of key transfer and key agreement (Blue Book (DLMS UA 1000-1) ed. 14, 4.4.7.3.2).
enum class KeyKind : std::uint8_t {
    unicast_encryption = 0,
    broadcast_encryption = 1,
    authentication = 2,
    master = 3
};

/// The two challenges of HLS as one end sees them (Green Book (DLMS UA 1000-2) ed. 10, 9.2.7.4).
struct Challenges {
    Bytes own;   ///< what we sent: the peer proves over it
    Bytes peer;  ///< what we received: we prove over it
};

/// What stands between the APDUs of one association and the wire: ciphering, signing and the proofs of HLS.
/// Port: SecurityContext does it with keys in memory; a key service hands out one of its own, which looks at
/// the plain APDU before it ciphers and keeps its keys to itself. Not thread safe: one object per
/// association.
class Protection {
public:
    virtual ~Protection() = default;
    /// The protected form of a plain APDU. Nothing when the counter is used up or the keys' owner forbids it.
    [[nodiscard]] virtual std::optional<Buffer> protect(Bytes apdu) = 0;
    /// The plain APDU inside. Faults: truncated, bad_tag, unsupported or refused (a security control we do
    /// not have or do not take), not_authentic, replayed. The tag is verified before the counter is accepted
    /// and before anything is decoded.
    virtual Result<Buffer> open(Bytes apdu) = 0;
    /// As open(), without a copy where the framing allows: the answer is a view into `apdu`, which holds the
    /// plain text afterwards, or zeros when it was refused.
    virtual Result<Bytes> open_in_place(std::span<std::uint8_t> apdu) = 0;
    /// Octets that protect() makes of an APDU of `plain_size` octets, at most. With service-specific
    /// ciphering one that has no glo- form (ACCESS, DataNotification) takes 9 octets more.
    virtual std::size_t protected_size(std::size_t plain_size) const = 0;

    /// f(challenge of the peer). Nothing when the counter is used up or the mechanism needs keys that are not
    /// there.
    [[nodiscard]] virtual std::optional<Buffer> prove(const Challenges& challenges) = 0;
    /// Whether `proof` is the peer's f(our challenge); accepts its counter where the mechanism has one.
    [[nodiscard]] virtual bool verify(const Challenges& challenges, Bytes proof) = 0;
    /// Whom we talk with, as AARQ or AARE say.
    virtual void set_peer(SystemTitle peer) = 0;
    /// A new association begins: its dedicated key, or none. The Initiate services stay under the global key.
    /// False when this protection takes no such key.
    virtual bool set_dedicated_key(const std::optional<SymmetricKey>& key) { return !key; }
    /// From now on with this key; a new encryption key restarts its counters. False when the keys are kept
    /// elsewhere or are of another size.
    virtual bool replace_key(KeyKind, const SymmetricKey&) { return false; }
    /// The lowest counter that the peer may send next, where it is known.
    virtual std::optional<std::uint32_t> expected_counter() const { return std::nullopt; }
};

/// Makes the protection of one association with a client whose title has become known.
using ProtectionFactory = std::function<std::unique_ptr<Protection>(SystemTitle peer)>;

}  // namespace wattmesh::dlms
