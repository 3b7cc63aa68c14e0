#pragma once
#include <memory>
#include <optional>
#include <vector>

#include "protocol/base/cipher.h"
#include "protocol/dlms/data.h"
#include "protocol/dlms/key_rotation.h"

/// New keys that neither end chooses alone: key_agreement of Security setup (Blue Book (DLMS UA 1000-1) ed.
/// 14, 4.4.7.3.3) with the ephemeral unified model C(2e, 0s, ECC CDH) of security suites 1 and 2 (Green Book
/// (DLMS UA 1000-2) ed. 10, 9.2.3.4.6.2). Each end sends for each key an ephemeral public key with its
/// signature over key_id || public key; the key is derived from what both made, with the titles of client and
/// server.
namespace wattmesh::dlms {

inline constexpr std::int8_t method_key_agreement = 3;

/// The client's side of one exchange. The ephemeral secrets live as long as this object.
class KeyExchange {
public:
    /// The references outlive this object; `own_signing` is on the suite's curve. At most one key of a kind.
    KeyExchange(Ciphers& ciphers, PrivateKey& own_signing, SystemTitle client, SystemTitle server,
                const std::vector<KeyKind>& kinds);

    /// The argument of key_agreement.
    Data argument() const;
    /// The agreed keys, in the order of `kinds`. Nothing when the answer has another shape, names another
    /// kind, an ephemeral key is no point or a signature not the server's: then no key may be taken.
    std::optional<std::vector<TransferredKey>> finish(const Data& answer, Bytes server_signing_public) const;

private:
    struct Offer {
        KeyKind kind;
        std::unique_ptr<PrivateKey> ephemeral;
    };
    Ciphers& ciphers_;
    PrivateKey& own_signing_;
    SystemTitle client_, server_;
    std::vector<Offer> offers_;
};

/// What the server answers, and the keys that are in force once the answer is out.
struct AgreedKeys {
    Data answer;
    std::vector<TransferredKey> keys;
};
/// The server's side. Nothing when the shape is wrong, a kind unknown or named twice, an ephemeral key no
/// point or a signature not the client's.
std::optional<AgreedKeys> answer_key_agreement(Ciphers& ciphers, const Data& argument,
                                               PrivateKey& own_signing, Bytes client_signing_public,
                                               SystemTitle client, SystemTitle server);

}  // namespace wattmesh::dlms
