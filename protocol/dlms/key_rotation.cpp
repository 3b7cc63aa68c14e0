#include "protocol/dlms/key_rotation.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <utility>

namespace wattmesh::dlms {

namespace {

constexpr int transfers_max = 3;  // of one key
constexpr KeyKind all_kinds[] = {KeyKind::broadcast_encryption, KeyKind::authentication,
                                 KeyKind::unicast_encryption, KeyKind::master};

std::optional<TransferredKey> decode_one(const Data& element, KeyWrap& master, Suite suite) {
    const auto* pair = std::get_if<Structure>(&element.value);
    if (!pair || pair->elements.size() != 2) return std::nullopt;
    const auto* id = std::get_if<Enum>(&pair->elements[0].value);
    const auto* wrapped = std::get_if<OctetString>(&pair->elements[1].value);
    if (!id || id->value > static_cast<std::uint8_t>(KeyKind::master) || !wrapped) return std::nullopt;
    auto plain = master.unwrap(wrapped->octets);
    if (!plain) return std::nullopt;
    const auto key = SymmetricKey::from(*plain);
    wipe(*plain);
    if (!key || key->size() != key_size(suite)) return std::nullopt;
    return TransferredKey{static_cast<KeyKind>(id->value), *key};
}

}  // namespace

const SymmetricKey* find_key(const ClientKeys& keys, KeyKind kind) {
    switch (kind) {
        case KeyKind::unicast_encryption:
            return &keys.encryption;
        case KeyKind::authentication:
            return &keys.authentication;
        case KeyKind::broadcast_encryption:
            return keys.broadcast ? &*keys.broadcast : nullptr;
        case KeyKind::master:
            return keys.master ? &*keys.master : nullptr;
    }
    return nullptr;
}

bool holds(const ClientKeys& keys, KeyKind kind, const SymmetricKey& key) {
    const auto* present = find_key(keys, kind);
    return present != nullptr && equal_constant_time(present->reveal(), key.reveal());
}

Data encode_key_transfer(const std::vector<TransferredKey>& keys, KeyWrap& master) {
    Array array;
    for (const TransferredKey& transferred : keys) {
        Structure pair;
        pair.elements.emplace_back(Enum{static_cast<std::uint8_t>(transferred.kind)});
        pair.elements.emplace_back(OctetString{master.wrap(transferred.key.reveal())});
        array.elements.emplace_back(std::move(pair));
    }
    return Data{std::move(array)};
}

std::optional<std::vector<TransferredKey>> decode_key_transfer(const Data& argument, KeyWrap& master,
                                                               Suite suite) {
    const auto* array = std::get_if<Array>(&argument.value);
    if (!array || array->elements.empty() || array->elements.size() > std::size(all_kinds))
        return std::nullopt;
    std::vector<TransferredKey> keys;
    for (const Data& element : array->elements) {
        auto key = decode_one(element, master, suite);
        if (!key) return std::nullopt;
        const auto same = [&](const TransferredKey& other) { return other.kind == key->kind; };
        if (std::ranges::any_of(keys, same)) return std::nullopt;
        keys.push_back(std::move(*key));
    }
    return keys;
}

KeyRotation::KeyRotation(KeyLedger& ledger, Ciphers& ciphers, Random& random, Suite suite)
    : ledger_(ledger), ciphers_(ciphers), random_(random), suite_(suite) {}

SymmetricKey KeyRotation::fresh_key() {
    std::array<std::uint8_t, 32> octets{};
    random_.fill(octets);
    const SymmetricKey key = *SymmetricKey::from(Bytes{octets}.first(key_size(suite_)));
    wipe(octets);
    return key;
}

void KeyRotation::start(const std::vector<KeyKind>& kinds) {
    assert(done() && ledger_.current().master);
    resuming_ = false;
    // The master key last: the others travel under the one that the meter surely has.
    for (const KeyKind kind : all_kinds)
        if (std::ranges::find(kinds, kind) != kinds.end()) waiting_.push_back(kind);
    next_kind();
}

void KeyRotation::resume() {
    assert(done());
    resuming_ = true;
    for (const KeyKind kind : all_kinds)
        if (ledger_.pending(kind)) waiting_.push_back(kind);
    next_kind();
}

void KeyRotation::next_kind() {
    kind_.reset();
    transfers_ = 0;
    if (waiting_.empty()) return;
    kind_ = waiting_.front();
    waiting_.pop_front();
    const bool known = ledger_.pending(*kind_).has_value();
    if (!known) ledger_.set_pending(*kind_, fresh_key());
    // A key that was pending already may have reached the meter: find out before sending anything under it.
    if (!known || *kind_ == KeyKind::broadcast_encryption) return transfer();
    if (*kind_ == KeyKind::master) return prove_master();
    try_keys(true);
}

void KeyRotation::transfer() {
    step_ = Step::transferring;
    ++transfers_;
    const auto wrap = ciphers_.key_wrap(*ledger_.current().master);
    actions_.emplace_back(
        TransferKey{*kind_, encode_key_transfer({{*kind_, *ledger_.pending(*kind_)}}, *wrap)});
}

/// The new master key once more, under itself: only a meter that has it can take that.
void KeyRotation::prove_master() {
    step_ = Step::proving_master;
    const auto key = *ledger_.pending(KeyKind::master);
    const auto wrap = ciphers_.key_wrap(key);
    actions_.emplace_back(TransferKey{*kind_, encode_key_transfer({{*kind_, key}}, *wrap)});
}

void KeyRotation::try_keys(bool fresh) {
    step_ = fresh ? Step::proving_new : Step::proving_old;
    ClientKeys keys = ledger_.current();
    if (fresh) keys.set(*kind_, *ledger_.pending(*kind_));
    actions_.emplace_back(TryKeys{*kind_, keys, fresh});
}

/// Writes the ledger before anybody hears of it.
void KeyRotation::conclude(KeyRotationAction action) {
    if (std::holds_alternative<KeyReplaced>(action)) ledger_.promote(*kind_);
    if (std::holds_alternative<KeyKept>(action)) ledger_.drop_pending(*kind_);
    const bool doubt = std::holds_alternative<KeyInDoubt>(action);
    actions_.push_back(std::move(action));
    if (doubt) waiting_.clear();  // nothing more over keys that nobody is sure of
    next_kind();
}

std::optional<KeyRotationAction> KeyRotation::take_action() {
    if (actions_.empty()) return std::nullopt;
    KeyRotationAction action = std::move(actions_.front());
    actions_.pop_front();
    return action;
}

void KeyRotation::transferred(TransferOutcome outcome) {
    assert(kind_ && (step_ == Step::transferring || step_ == Step::proving_master));
    const KeyKind kind = *kind_;
    if (step_ == Step::proving_master) {
        if (outcome == TransferOutcome::taken) return conclude(KeyReplaced{kind});
        // Refused: the meter still has the old one. It may be sent again, except when we only want to know.
        if (outcome == TransferOutcome::refused && transfers_ < transfers_max) return transfer();
        return conclude(KeyInDoubt{kind});
    }
    const bool refused = outcome == TransferOutcome::refused;
    switch (kind) {
        case KeyKind::unicast_encryption:
        case KeyKind::authentication:
            // A refusal came authenticated under the old keys: it is their proof.
            return refused ? conclude(KeyKept{kind}) : try_keys(true);
        case KeyKind::broadcast_encryption:
            if (outcome == TransferOutcome::taken) return conclude(KeyReplaced{kind});
            if (refused)
                return conclude(transfers_ == 1 && !resuming_ ? KeyRotationAction{KeyKept{kind}}
                                                              : KeyRotationAction{KeyInDoubt{kind}});
            return transfers_ < transfers_max ? transfer() : conclude(KeyInDoubt{kind});
        case KeyKind::master:
            if (refused && transfers_ == 1 && !resuming_) return conclude(KeyKept{kind});
            return prove_master();
    }
}

void KeyRotation::tried(bool proved) {
    assert(kind_ && (step_ == Step::proving_new || step_ == Step::proving_old));
    const KeyKind kind = *kind_;
    if (step_ == Step::proving_new) return proved ? conclude(KeyReplaced{kind}) : try_keys(false);
    if (!proved) return conclude(KeyInDoubt{kind});
    // The old key is in force. Found so at the beginning, the new one is sent now.
    if (transfers_ == 0 && !resuming_) return transfer();
    conclude(KeyKept{kind});
}

}  // namespace wattmesh::dlms
