#include "protocol/decode/decipher.h"

#include <fmt/format.h>

#include <algorithm>

namespace wattmesh::decode {
namespace {

/// An encryption key and, where it is known, the authentication key that belongs to it.
struct Candidate {
    SymmetricKey encryption;
    std::optional<SymmetricKey> authentication;
};

/// SC || AK || header || text where only authenticated (Green Book ed. 10, 9.2.7.2.4).
Buffer additional_data(const Ciphered& ciphered, const SymmetricKey& authentication) {
    Buffer out{ciphered.control};
    const auto add = [&](Bytes octets) { out.insert(out.end(), octets.begin(), octets.end()); };
    add(authentication.reveal());
    add(ciphered.header);
    if ((ciphered.control & dlms::security_control::encrypted) == 0) add(ciphered.text);
    return out;
}

std::optional<Buffer> verified(Ciphers& ciphers, const Ciphered& ciphered, const Candidate& keys,
                               const SystemTitle& title) {
    const auto aead = ciphers.aead(keys.encryption);
    const auto nonce = dlms::nonce(title, ciphered.counter);
    Buffer additional = additional_data(ciphered, *keys.authentication);
    Buffer text = to_buffer(ciphered.text);
    const bool encrypted = (ciphered.control & dlms::security_control::encrypted) != 0;
    const std::span<std::uint8_t> covered = encrypted ? std::span{text} : std::span<std::uint8_t>{};
    const bool authentic = aead->open(nonce, additional, covered, ciphered.tag);
    dlms::wipe(additional);
    if (!authentic) return std::nullopt;
    return text;
}

/// GCM without a tag is counter mode: encrypting once more gives the plain text.
Buffer unverified(Ciphers& ciphers, const Ciphered& ciphered, const SymmetricKey& key,
                  const SystemTitle& title) {
    std::array<std::uint8_t, 16> unused{};
    Buffer text = to_buffer(ciphered.text);
    ciphers.aead(key)->seal(dlms::nonce(title, ciphered.counter), {}, text, unused);
    return text;
}

std::optional<SymmetricKey> unwrapped(const Keyring& keyring, const SymmetricKey& master, Bytes wrapped) {
    auto octets = keyring.ciphers->key_wrap(master)->unwrap(wrapped);
    if (!octets) return std::nullopt;
    const auto key = SymmetricKey::from(*octets);
    dlms::wipe(*octets);
    return key;
}

std::vector<Candidate> candidates(const Keyring& keyring, const std::optional<SymmetricKey>& dedicated,
                                  const Ciphered& ciphered) {
    std::vector<Candidate> all;
    // Every authentication key may belong to a key that is not of a meter's own.
    const auto add = [&](const std::optional<SymmetricKey>& key) {
        if (!key) return;
        all.push_back({*key, keyring.authentication});
        for (const auto& other : keyring.others) all.push_back({*key, other.authentication});
    };
    if (!ciphered.wrapped.empty()) {
        if (keyring.ciphers && keyring.master) add(unwrapped(keyring, *keyring.master, ciphered.wrapped));
    } else if (ciphered.dedicated) {
        add(keyring.dedicated);
        add(dedicated);
    } else if ((ciphered.control & dlms::security_control::broadcast_key) != 0) {
        add(keyring.broadcast);
    } else {
        if (keyring.encryption) all.push_back({*keyring.encryption, keyring.authentication});
        for (const auto& other : keyring.others) all.push_back({other.encryption, other.authentication});
    }
    const std::size_t size = (ciphered.control & dlms::security_control::suite_mask) == 2 ? 32 : 16;
    std::erase_if(all, [&](const Candidate& one) {
        return one.encryption.size() != size || (one.authentication && one.authentication->size() != size);
    });
    return all;
}

/// The options that would open it.
std::string_view options_for(const Ciphered& ciphered) {
    if (!ciphered.wrapped.empty()) return "--master";
    if (ciphered.dedicated) return "--dedicated";
    return (ciphered.control & dlms::security_control::broadcast_key) != 0 ? "--broadcast" : "--key";
}

}  // namespace

Deciphered decipher(const Keyring& keyring, const std::optional<SymmetricKey>& dedicated,
                    const std::vector<SystemTitle>& titles, const Ciphered& ciphered) {
    const bool authenticated = (ciphered.control & dlms::security_control::authenticated) != 0;
    const bool encrypted = (ciphered.control & dlms::security_control::encrypted) != 0;
    const unsigned suite = ciphered.control & dlms::security_control::suite_mask;
    const auto missing = [](std::string words) { return Deciphered{{}, false, std::move(words)}; };
    if (suite > 2) return missing(fmt::format("suite {} is not known here", suite));
    if (!authenticated && !encrypted) return {to_buffer(ciphered.text), false, "not protected at all"};

    auto keys = candidates(keyring, dedicated, ciphered);
    if (keyring.ciphers == nullptr || keys.empty())
        return missing(fmt::format("not deciphered: give {} and --ak that fit, {} octets each",
                                   options_for(ciphered), suite == 2 ? 32 : 16));
    std::vector<SystemTitle> known = titles;
    if (keyring.title) known.insert(known.begin(), *keyring.title);
    if (known.empty()) return missing("not deciphered: the sender's system title is missing, give --title");

    if (!authenticated)
        return {unverified(*keyring.ciphers, ciphered, keys.front().encryption, known.front()), false,
                "encrypted only: there is no tag, nothing proves key, title and content right"};
    std::erase_if(keys, [](const Candidate& one) { return !one.authentication; });
    if (keys.empty()) return missing("not deciphered: without --ak the tag cannot be verified");
    for (const auto& title : known)
        for (const auto& candidate : keys)
            if (auto plain = verified(*keyring.ciphers, ciphered, candidate, title))
                return {std::move(plain), false,
                        fmt::format(
                            "tag verified with title {}; the counter is not checked (this is one message)",
                            to_hex(title.octets))};
    return {{}, true, "wrong key, wrong title or changed octets"};
}

}  // namespace wattmesh::decode
