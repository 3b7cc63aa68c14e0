#pragma once
#include <cstdint>
#include <deque>
#include <optional>
#include <variant>
#include <vector>

#include "protocol/base/cipher.h"
#include "protocol/dlms/data.h"
#include "protocol/dlms/object.h"
#include "protocol/dlms/security.h"

namespace wattmesh::dlms {

/// The key of a kind; null where there is none.
const SymmetricKey* find_key(const ClientKeys& keys, KeyKind kind);
/// Whether `keys` has this very key, compared in constant time.
bool holds(const ClientKeys& keys, KeyKind kind, const SymmetricKey& key);

/// One key of a key transfer.
struct TransferredKey {
    KeyKind kind = KeyKind::unicast_encryption;
    SymmetricKey key;
};
/// key_transfer of Security setup (Blue Book (DLMS UA 1000-1) ed. 14, 4.4.7.3.2): array of structure{enum
/// key-id, octet-string wrapped under the master key}.
inline constexpr std::uint16_t class_security_setup = 64;
inline constexpr std::int8_t method_key_transfer = 2;
Data encode_key_transfer(const std::vector<TransferredKey>& keys, KeyWrap& master);
/// The meter's side. Nothing when the shape is wrong, a kind unknown or named twice, a size is not the
/// suite's or a key was not wrapped under `master`: then none of them may be taken.
std::optional<std::vector<TransferredKey>> decode_key_transfer(const Data& argument, KeyWrap& master,
                                                               Suite suite);

/// Port: the keys of one meter where they rest. Every call is durable before it returns.
class KeyLedger {
public:
    virtual ~KeyLedger() = default;
    /// In force, with broadcast and master key where there are such.
    virtual ClientKeys current() const = 0;
    virtual std::optional<SymmetricKey> pending(KeyKind kind) const = 0;
    /// Beside the current one.
    virtual void set_pending(KeyKind kind, const SymmetricKey& key) = 0;
    /// The pending key is the current one; the old one is dropped.
    virtual void promote(KeyKind kind) = 0;
    virtual void drop_pending(KeyKind kind) = 0;
};

/// Call key_transfer of the meter's Security setup with this argument, over an association under the current
/// keys; then transferred().
struct TransferKey {
    KeyKind kind;
    Data argument;
};
/// Associate with these keys (mutual proof), then tried(). Counters go on: a meter with a new key takes any.
struct TryKeys {
    KeyKind kind;
    ClientKeys keys;
    bool fresh;  ///< with the new key
};
/// The new key is in force and the old one gone.
struct KeyReplaced {
    KeyKind kind;
};
/// The old key stays in force and the new one is gone.
struct KeyKept {
    KeyKind kind;
};
/// Neither key could be proved: both are kept. resume() goes on, as soon as the meter answers again.
struct KeyInDoubt {
    KeyKind kind;
};
using KeyRotationAction = std::variant<TransferKey, TryKeys, KeyReplaced, KeyKept, KeyInDoubt>;

/// How a key_transfer ended. `lost`: no answer, or none that can be trusted.
enum class TransferOutcome : std::uint8_t { taken, refused, lost };

/// Replaces keys of one meter, one after the other, so that whatever is lost or crashes there is always a key
/// in the ledger that opens the meter.
///
///   pending stored --transfer--> taken or lost --try new--> proved: promote      (encryption,
///   authentication)
///                                                         else --try old--> proved: drop pending, else in
///                                                         doubt
///                            --> refused: drop pending
///   broadcast: a transfer that the meter took is the proof; a lost one is sent again.
///   master: the proof is a second transfer of the new key, wrapped under itself.
class KeyRotation {
public:
    /// The references outlive this object. The current keys must have a master key.
    KeyRotation(KeyLedger& ledger, Ciphers& ciphers, Random& random, Suite suite);

    /// Makes new keys, stores them as pending and begins. A kind that has a pending key goes on with that
    /// one.
    void start(const std::vector<KeyKind>& kinds);
    /// After a restart or a doubt: finds out for every pending key which one is in force. An encryption or
    /// authentication key that the meter never got is dropped; broadcast and master key are sent again.
    void resume();

    /// What to do next. After TransferKey and TryKeys nothing more comes until the outcome is said.
    std::optional<KeyRotationAction> take_action();
    void transferred(TransferOutcome outcome);
    void tried(bool proved);
    bool done() const { return !kind_ && waiting_.empty() && actions_.empty(); }

private:
    enum class Step : std::uint8_t { transferring, proving_new, proving_old, proving_master };
    void next_kind();
    void transfer();
    void prove_master();
    void try_keys(bool fresh);
    void conclude(KeyRotationAction action);
    SymmetricKey fresh_key();

    KeyLedger& ledger_;
    Ciphers& ciphers_;
    Random& random_;
    Suite suite_;
    std::deque<KeyKind> waiting_;
    std::optional<KeyKind> kind_;
    Step step_ = Step::transferring;
    bool resuming_ = false;
    int transfers_ = 0;
    std::deque<KeyRotationAction> actions_;
};

}  // namespace wattmesh::dlms
