#pragma once
#include <string>
#include <string_view>

#include "protocol/dlms/security.h"

namespace wattmesh::dlms {

/// How the ciphered association of a meter's management client is proved and protected, apart from suite and
/// keys. The default is what every meter can. The words are those of shipment files, the database and
/// `terminal-sim`.
struct AssociationForm {
    Mechanism mechanism = Mechanism::high_gmac;  ///< HLS: 3 to 7
    Framing framing = Framing::service;
    bool signing = false;  ///< general-signing around every APDU, both ways (Green Book ed. 10, 9.2.7.3)
    bool operator==(const AssociationForm&) const = default;

    /// Whether it needs static keys on a curve, of both ends.
    bool needs_certificates() const {
        return mechanism == Mechanism::high_ecdsa || signing || framing >= Framing::one_pass_dh;
    }
    /// Whether it proves by a secret that is no key: mechanisms 3, 4 and 6.
    bool needs_secret() const {
        return mechanism == Mechanism::high_md5 || mechanism == Mechanism::high_sha1 ||
               mechanism == Mechanism::high_sha256;
    }
    /// The least PDU that its requests and answers fit in, octets: signatures (64 or 96) and ephemeral keys
    /// with theirs (128 or 192) come on top of what is asked.
    std::uint16_t pdu_size_least() const {
        return signing || framing >= Framing::one_pass_dh ? std::uint16_t{512} : std::uint16_t{0};
    }
    /// Why a meter of `suite` cannot have it; empty when it can.
    std::string_view fault(Suite suite) const;
    /// Sets what it says in `settings`; keys and secret are the owner's to add.
    void apply(SecuritySettings& settings) const;
};

/// md5, sha1, gmac, sha256, ecdsa. Nothing for a mechanism without a word here, or an unknown word.
std::string_view to_string(Mechanism mechanism);
std::optional<Mechanism> mechanism_named(std::string_view word);
/// glo, general-glo, identified-key, wrapped-key, one-pass-dh, static-dh.
std::string_view to_string(Framing framing);
std::optional<Framing> framing_named(std::string_view word);
/// Both lists, for messages.
std::string mechanism_words();
std::string framing_words();

}  // namespace wattmesh::dlms
