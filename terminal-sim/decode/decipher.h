#pragma once
#include <optional>
#include <string>
#include <vector>

#include "protocol/base/cipher.h"
#include "protocol/base/id.h"
#include "protocol/dlms/security.h"

namespace wattmesh::sim {

/// What a caller knows about the devices whose octets are decoded.
struct Keyring {
    Ciphers* ciphers = nullptr;              ///< null: nothing is deciphered
    std::optional<SymmetricKey> encryption;  ///< global unicast encryption key
    std::optional<SymmetricKey> authentication;
    std::optional<SymmetricKey> dedicated;
    std::optional<SystemTitle> title;      ///< of the sender, for messages that do not carry it
    std::vector<dlms::ClientKeys> others;  ///< of a whole shipment; each is tried
};

/// One ciphered text and what its message says about it.
struct Ciphered {
    bool dedicated = false;
    std::uint8_t control = 0;
    std::uint32_t counter = 0;
    Bytes header;  ///< fields of general-ciphering that are authenticated, too
    Bytes text, tag;
};

/// Bits of the security control octet. Source: Green Book (DLMS UA 1000-2) ed. 10, 9.2.7.2.4.
namespace security_control {
inline constexpr std::uint8_t suite = 0x0F, authenticated = 0x10, encrypted = 0x20, broadcast = 0x40,
                              compressed = 0x80;
}
inline constexpr std::size_t security_tag_size = 12;

/// The plain text, or why there is none.
struct Deciphered {
    std::optional<Buffer> plain;
    bool forged = false;  ///< there were keys enough, and the tag does not verify
    std::string words;    ///< what was checked, or what is missing
};
/// Tries each title with each key that fits. Only a text whose tag verifies is given out; one that is
/// encrypted only has no tag, and the words say so. Counters are not checked: this is one message.
Deciphered decipher(const Keyring& keyring, const std::optional<SymmetricKey>& dedicated,
                    const std::vector<SystemTitle>& titles, const Ciphered& ciphered);

}  // namespace wattmesh::sim
