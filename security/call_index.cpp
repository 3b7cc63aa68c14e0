#include "security/call_index.h"

#include <cassert>
#include <limits>

namespace wattmesh::security {
namespace {

constexpr std::size_t slots_least = 1'024;

}  // namespace

/// FNV-1a: names are digests in hexadecimal digits, or what tests say.
CallIndex::Hash CallIndex::hash_of(std::string_view name) {
    Hash hash = 2'166'136'261U;
    for (const char c : name) hash = (hash ^ static_cast<unsigned char>(c)) * 16'777'619U;
    return hash;
}

void CallIndex::put(Slot slot) {
    auto at = slot.hash % slots_.size();
    while (slots_[at].sequence != 0) at = (at + 1) % slots_.size();
    slots_[at] = slot;
}

void CallIndex::add(Hash hash, std::uint64_t sequence) {
    assert(sequence != 0 && sequence <= std::numeric_limits<std::uint32_t>::max());
    if (used_ >= slots_.size() / 4 * 3) {
        const auto before = std::move(slots_);
        slots_.assign(before.empty() ? slots_least : before.size() + before.size() / 2, Slot{});
        for (const auto& slot : before)
            if (slot.sequence != 0) put(slot);
    }
    put({hash, static_cast<std::uint32_t>(sequence)});
    ++used_;
}

std::optional<std::uint64_t> CallIndex::next(Hash hash, std::uint64_t after) const {
    if (slots_.empty()) return std::nullopt;
    std::optional<std::uint64_t> found;
    for (auto at = hash % slots_.size(); slots_[at].sequence != 0; at = (at + 1) % slots_.size()) {
        const auto& slot = slots_[at];
        if (slot.hash == hash && slot.sequence > after && (!found || slot.sequence < *found))
            found = slot.sequence;
    }
    return found;
}

}  // namespace wattmesh::security
