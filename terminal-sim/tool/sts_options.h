#pragma once
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "platform/settings.h"
#include "protocol/sts/derivation.h"
#include "protocol/sts/key_change.h"

namespace wattmesh::sim {

/// What was asked for is not to be had, and why; not the same as options that do not parse.
struct StsRefusal : std::runtime_error {
    explicit StsRefusal(sts::Refusal what) : StsRefusal(what, std::string{explain(what)}) {}
    StsRefusal(sts::Refusal what, const std::string& why) : runtime_error(why), refusal(what) {}
    StsRefusal(const std::string& word, const std::string& why) : runtime_error(why), name(word) {}
    std::string reason() const { return name.empty() ? std::string{to_string(refusal)} : name; }
    sts::Refusal refusal{};
    std::string name;
};

/// A key as the options give it: --dk as it is, or --vk and what it is derived from. With the prefix "to-"
/// the new key of a key change, which is like the old one where nothing else is said.
struct StsKey {
    sts::KeyAttributes attributes;
    sts::Algorithm algorithm{};
    std::optional<sts::DecoderKey> key;
    std::optional<sts::Derivation> derivation;
    std::optional<sts::VendingKey> vending_key;
    std::optional<sts::MeterPan> meter;
};
/// Throws SettingsError, or StsRefusal (a meter number with a wrong digit, a key that cannot be derived).
StsKey sts_key_of(const platform::Settings& settings);
StsKey sts_new_key_of(const platform::Settings& settings, const StsKey& old_key);
/// Whether one of the options of a new key is there.
bool sts_key_changes(const platform::Settings& settings);

/// --class, --subclass and what they need of --amount, --control, --at, --rnd.
sts::Content sts_content_of(const platform::Settings& settings, const sts::KeyAttributes& key);

/// --at, if it is there.
std::optional<Instant> sts_instant_of(const platform::Settings& settings);

}  // namespace wattmesh::sim
