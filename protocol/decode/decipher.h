#pragma once
#include <optional>
#include <string>
#include <vector>

#include "protocol/base/cipher.h"
#include "protocol/base/id.h"
#include "protocol/dlms/security.h"

namespace wattmesh::decode {

/// What a caller knows about the devices whose octets are decoded.
struct Keyring {
    Ciphers* ciphers = nullptr;              ///< null: nothing is deciphered
    std::optional<SymmetricKey> encryption;  ///< global unicast encryption key
    std::optional<SymmetricKey> authentication;
    std::optional<SymmetricKey> dedicated;
    std::optional<SymmetricKey> broadcast;  ///< global broadcast encryption key
    std::optional<SymmetricKey> master;     ///< for keys that come wrapped
    std::optional<SystemTitle> title;       ///< of the sender, for messages that do not carry it
    std::vector<dlms::ClientKeys> others;   ///< of a whole shipment; each is tried
};

/// One ciphered text and what its message says about it.
struct Ciphered {
    bool dedicated = false;
    Bytes wrapped;  ///< general-ciphering: the key of this message under the master key; or none
    std::uint8_t control = 0;
    std::uint32_t counter = 0;
    Bytes header;  ///< fields of general-ciphering that are authenticated, too
    Bytes text, tag;
};

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

}  // namespace wattmesh::decode
