#include "protocol/dlms/association_form.h"

namespace wattmesh::dlms {
namespace {

template <class Value>
struct Word {
    Value value;
    std::string_view word;
};
constexpr Word<Mechanism> mechanisms[] = {{Mechanism::high_md5, "md5"},
                                          {Mechanism::high_sha1, "sha1"},
                                          {Mechanism::high_gmac, "gmac"},
                                          {Mechanism::high_sha256, "sha256"},
                                          {Mechanism::high_ecdsa, "ecdsa"}};
constexpr Word<Framing> framings[] = {
    {Framing::service, "glo"},
    {Framing::general, "general-glo"},
    {Framing::identified_key, "identified-key"},
    {Framing::wrapped_key, "wrapped-key"},
    {Framing::one_pass_dh, "one-pass-dh"},
    {Framing::static_dh, "static-dh"},
};

template <class Value>
std::string_view word_of(std::span<const Word<Value>> words, Value value) {
    for (const auto& one : words)
        if (one.value == value) return one.word;
    return {};
}
template <class Value>
std::optional<Value> named(std::span<const Word<Value>> words, std::string_view word) {
    for (const auto& one : words)
        if (one.word == word) return one.value;
    return std::nullopt;
}
template <class Value>
std::string listed(std::span<const Word<Value>> words) {
    std::string text;
    for (const auto& one : words) text += (text.empty() ? "" : ", ") + std::string{one.word};
    return text;
}

}  // namespace

std::string_view AssociationForm::fault(Suite suite) const {
    if (suite != Suite::zero || !needs_certificates()) return {};
    if (mechanism == Mechanism::high_ecdsa) return "ecdsa needs suite 1 or 2";
    return signing ? "signing needs suite 1 or 2" : "key agreement needs suite 1 or 2";
}

void AssociationForm::apply(SecuritySettings& settings) const {
    settings.mechanism = mechanism;
    settings.framing = framing;
    settings.sign = settings.require_signature = signing;
}

std::string_view to_string(Mechanism mechanism) { return word_of<Mechanism>(mechanisms, mechanism); }
std::optional<Mechanism> mechanism_named(std::string_view word) { return named<Mechanism>(mechanisms, word); }
std::string_view to_string(Framing framing) { return word_of<Framing>(framings, framing); }
std::optional<Framing> framing_named(std::string_view word) { return named<Framing>(framings, word); }
std::string mechanism_words() { return listed<Mechanism>(mechanisms); }
std::string framing_words() { return listed<Framing>(framings); }

}  // namespace wattmesh::dlms
