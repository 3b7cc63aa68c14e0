#pragma once
#include <span>

#include "protocol/sts/content.h"
#include "protocol/sts/keys.h"

namespace wattmesh::sts {

/// Encrypts, unless it is a test, and inserts the class.
Token seal(const Content& content, const BlockCipher& cipher);
/// The same of a test, which needs no key.
Token seal(const MeterTest& test);

/// A token looked into. `content` is there as soon as the checksum held, also when the token is refused.
struct Opening {
    Refusal refusal = Refusal::none;
    std::optional<Content> content;
};

/// What a meter that holds `key` finds out before it looks into its memory: class, checksum, type and expiry
/// of its key, range (IEC 62055-41, 7.2.3 in this order). Without a key tests only are opened.
Opening open(const Token& token, const HeldKey* key);

/// A token against several keys: the meter's present one, the ones it had, those of a pending change.
struct Verification {
    Opening opening;
    std::optional<std::size_t> key;  ///< whose checksum held; a foreign token passes once in 65 536 keys
};
Verification verify(const Token& token, std::span<const HeldKey> keys);

}  // namespace wattmesh::sts
