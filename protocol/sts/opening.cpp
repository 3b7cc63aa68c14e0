#include "protocol/sts/opening.h"

#include <algorithm>

namespace wattmesh::sts {
namespace {

/// Values that a field can hold and a command does not have.
bool in_range(const Content& content) {
    const auto* management = std::get_if<Management>(&content);
    if (management == nullptr) return true;
    switch (management->command) {
        case Command::clear_credit:
            return management->value <= 7 || management->value == every_register;
        case Command::clear_tamper:
            return management->value == 0;
        default:
            return true;
    }
}

Refusal judged(const Content& content, const KeyAttributes& key) {
    if (class_of(content) == TokenClass::credit && key.type == KeyType::normal) return Refusal::default_key;
    const auto tid = tid_of(content);
    if (tid && !serves(key.expiry, *tid)) return Refusal::key_expired;
    return in_range(content) ? Refusal::none : Refusal::range;
}

Opening opened(const std::variant<Content, Refusal>& decoded) {
    if (const auto* refusal = std::get_if<Refusal>(&decoded)) return {*refusal, std::nullopt};
    return {Refusal::none, std::get<Content>(decoded)};
}

}  // namespace

Token seal(const Content& content, const BlockCipher& cipher) {
    Block block = encode(content);
    if (block.token_class != TokenClass::test) block.bits = cipher.encrypt(block.bits);
    return insert_class(block);
}

Token seal(const MeterTest& test) { return insert_class(encode(test)); }

Opening open(const Token& token, const HeldKey* key) {
    Block block = extract_class(token);
    if (block.token_class == TokenClass::reserved) return {Refusal::function, std::nullopt};
    if (block.token_class == TokenClass::test) return opened(decode(block));
    if (key == nullptr) return {Refusal::no_key, std::nullopt};
    block.bits = key->cipher.decrypt(block.bits);
    Opening opening = opened(decode(block));
    if (opening.content) opening.refusal = judged(*opening.content, key->attributes);
    return opening;
}

Verification verify(const Token& token, std::span<const HeldKey> keys) {
    Verification best{open(token, nullptr), std::nullopt};
    if (best.opening.refusal != Refusal::no_key) return best;
    for (std::size_t i = 0; i < keys.size(); ++i) {
        Opening opening = open(token, &keys[i]);
        const bool holds =
            opening.refusal != Refusal::checksum;  // of a reserved subclass there is no content
        best.opening = std::move(opening);
        if (!holds) continue;
        best.key = i;
        break;
    }
    return best;
}

}  // namespace wattmesh::sts
