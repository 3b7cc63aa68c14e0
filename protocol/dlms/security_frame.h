#pragma once
#include <cstdint>
#include <optional>
#include <variant>

#include "protocol/base/bytes.h"
#include "protocol/base/id.h"
#include "protocol/base/result.h"
#include "protocol/base/writer.h"

/// Framing of protected APDUs: glo-, ded-, general-glo, general-ded, general-ciphering and general-signing.
/// Octets only, no keys. Source: Green Book (DLMS UA 1000-2) ed. 10, 9.2.7.2 and 9.5.
namespace wattmesh::dlms {

/// Bits of the security control octet (9.2.7.2.4.1); the low four carry the security suite.
namespace security_control {
inline constexpr std::uint8_t suite_mask = 0x0F, authenticated = 0x10, encrypted = 0x20, broadcast_key = 0x40,
                              compressed = 0x80;
inline constexpr std::uint8_t authenticated_encrypted = authenticated | encrypted;
}  // namespace security_control

/// How a ciphered APDU says which service it is and which key opens it.
enum class Framing : std::uint8_t {
    service,         ///< glo-xxx or ded-xxx, one tag for each service
    general,         ///< general-glo-ciphering DB or general-ded-ciphering DC, with the sender's title
    identified_key,  ///< general-ciphering DD, key named
    wrapped_key,     ///< general-ciphering DD, one-time key wrapped under the master key
    one_pass_dh,     ///< general-ciphering DD, key agreed by one-pass Diffie-Hellman C(1e, 1s)
    static_dh,       ///< general-ciphering DD, key agreed by static unified model C(0e, 2s)
};
constexpr bool is_general_ciphering(Framing framing) { return framing >= Framing::identified_key; }

inline constexpr std::uint8_t tag_general_global = 0xDB, tag_general_dedicated = 0xDC,
                              tag_general_ciphering = 0xDD, tag_general_signing = 0xDF;
/// Tags of the service-specific forms of a plain APDU tag and back; nothing when there is none.
std::optional<std::uint8_t> global_tag(std::uint8_t plain);
std::optional<std::uint8_t> dedicated_tag(std::uint8_t plain);
std::optional<std::uint8_t> plain_tag(std::uint8_t ciphered);
/// Whether an APDU of this tag is ciphered or signed in any way.
bool is_protected(std::uint8_t tag);

/// Fields that general-ciphering and general-signing begin with; the views live as long as the message.
struct GeneralHeader {
    Bytes transaction_id, originator, recipient, date_time, other_information;
};

struct IdentifiedKey {
    std::uint8_t key_id = 0;  ///< 0 global unicast, 1 global broadcast encryption key
};
struct WrappedKey {
    std::uint8_t kek_id = 0;  ///< 0 master key
    Bytes wrapped;
};
struct AgreedKey {
    std::uint8_t scheme = 0;  ///< 1 one-pass Diffie-Hellman, 2 static unified model
    Bytes ciphered_data;      ///< 1: ephemeral public key and its signature; 2: empty
};
using KeyInfo = std::variant<std::monostate, IdentifiedKey, WrappedKey, AgreedKey>;

/// A ciphered APDU taken apart; views into it.
struct CipheredApdu {
    Framing framing = Framing::service;
    bool dedicated = false;
    std::optional<std::uint8_t> plain_tag{};  ///< Framing::service: what must be inside
    Bytes title{};                            ///< Framing::general: the sender's, 8 octets or none
    GeneralHeader header{};                   ///< general-ciphering
    Bytes header_octets{};                    ///< the five fields of it with their lengths, as authenticated
    KeyInfo key_info{};
    std::uint8_t control = 0;
    std::uint32_t counter = 0;
    std::size_t text_at = 0, text_size = 0;  ///< of the message; never empty
    Bytes tag{};                             ///< 12 octets when control says authenticated
};
/// Faults: truncated, trailing, bad_tag, bad_value, unsupported (compression, no protection, a key
/// information of another kind).
Result<CipheredApdu> decode_ciphered(Bytes apdu);

/// A general-signing APDU taken apart; views into it.
struct SignedApdu {
    GeneralHeader header;
    Bytes header_octets;  ///< the five fields with their lengths
    Bytes content;        ///< signed as it is, without its length
    Bytes signature;      ///< r || s, 64 or 96 octets
};
Result<SignedApdu> decode_signed(Bytes apdu);

/// Appends the five fields with their lengths.
void encode(Writer& out, const GeneralHeader& header);
/// Appends the key information with its presence octet.
void encode(Writer& out, const KeyInfo& info);

}  // namespace wattmesh::dlms
