#pragma once
#include <optional>

#include "protocol/base/cipher.h"
#include "protocol/base/id.h"

/// Key agreement of security suites 1 and 2. Source: Green Book (DLMS UA 1000-2) ed. 10, 9.2.3.4.6.
namespace wattmesh::dlms {

/// What a derived key is for: last arc of 2.16.756.5.8.3.n (Green Book ed. 10, 9.2.3.4.6.5).
enum class KeyUse : std::uint8_t { gcm_128 = 0, gcm_256 = 1, wrap_128 = 2, wrap_256 = 3 };

/// Concatenation KDF of NIST SP 800-56A (one round: hash(1 || Z || AlgorithmID || PartyU || PartyV)), with
/// SHA-256 on P-256 and SHA-384 on P-384; its leftmost 16 or 32 octets as `use` wants.
SymmetricKey derive_key(Ciphers& ciphers, Curve curve, Bytes z, KeyUse use, Bytes party_u, Bytes party_v);

/// One-pass Diffie-Hellman C(1e, 1s, ECC CDH), 9.2.3.4.6.3: the sender's key-ciphered-data and the key.
struct OnePassKey {
    SymmetricKey key;
    Buffer ciphered_data;  ///< ephemeral public key || ECDSA over it with the sender's signing key
};
/// Nothing when `recipient_public` is no point of the signing key's curve.
std::optional<OnePassKey> one_pass_send(Ciphers& ciphers, PrivateKey& own_signing, Bytes recipient_public,
                                        SystemTitle own, SystemTitle recipient);
/// The receiver's side. Nothing when the signature is not the sender's or the ephemeral key is no point.
std::optional<SymmetricKey> one_pass_receive(Ciphers& ciphers, PrivateKey& own_agreement,
                                             Bytes sender_signing_public, Bytes ciphered_data,
                                             SystemTitle sender, SystemTitle own);

/// Static unified model C(0e, 2s, ECC CDH), 9.2.3.4.6.4: both ends compute the same; the transaction id makes
/// the key another one for each message.
std::optional<SymmetricKey> static_key(Ciphers& ciphers, PrivateKey& own_agreement,
                                       Bytes peer_agreement_public, SystemTitle sender, Bytes transaction_id,
                                       SystemTitle recipient);

}  // namespace wattmesh::dlms
