#include "protocol/mesh/join.h"
#include "protocol/mesh/node.h"

/// The net key changes while the network goes on. Everybody is given the next key alone, under its join key;
/// the root begins to use it, and whoever hears a frame under it follows. The one before is heard for a while
/// more.
namespace wattmesh::mesh {
namespace {
using namespace std::chrono_literals;
constexpr Duration ask_parent_within = 20s;
// A quarter of the numbers is left to tell the root, and for the root to give everybody another key.
constexpr std::uint32_t counter_renew = 0xC0000000;
}  // namespace

void Node::start_keys(Instant now) {
    mac_.security().set_key(*state_.net_key, state_.counter_limit, key_id(state_.key_number));
    if (state_.other == NodeState::Other::none) return;
    mac_.security().add_key(state_.other_key, 1, key_id(static_cast<std::uint16_t>(state_.key_number + 1)));
    if (state_.other == NodeState::Other::previous) key_forget_at_ = now + key_overlap_;
}

/// True when this key is known now: the root is told so.
bool Node::learn_key(Bytes body) {
    const auto update = decode_key_update(body);
    if (!update || update->meter != settings_.number || !joined()) return false;
    const auto key = open(*update, state_.pan, settings_.join_key, ciphers_);
    if (!key) return false;
    if (update->key_number == state_.key_number)  // our answer was lost, and the root has switched
        return equal_constant_time(key->reveal(), state_.net_key->reveal());
    if (update->key_number != static_cast<std::uint16_t>(state_.key_number + 1)) return false;
    const bool known = state_.other == NodeState::Other::next &&
                       equal_constant_time(key->reveal(), state_.other_key.reveal());
    if (known) return true;
    state_.other = NodeState::Other::next;
    state_.other_key = *key;
    key_overlap_ = update->overlap_s * 1s;
    state_dirty_ = true;
    key_forget_at_ = never;
    mac_.security().add_key(*key, 1, key_id(update->key_number));
    return true;
}

void Node::switch_key(Instant now) {
    ++state_.key_number;
    std::swap(*state_.net_key, state_.other_key);
    state_.other = NodeState::Other::previous;
    state_.counter_limit = 1;
    state_dirty_ = true;
    mac_.security().use(key_id(state_.key_number));
    keep_counter_ahead();
    key_forget_at_ = now + key_overlap_;
    key_asked_ = false;
    if (attached()) trickle_.reset(now, mac_.chance(), stretch());  // so that the others hear of it
}

void Node::forget_other_key() {
    state_.other = NodeState::Other::none;
    state_.other_key = {};
    key_forget_at_ = never;
}

bool Node::needs_key() const { return mac_.security().counter_next() > counter_renew; }

void Node::key_tick(Instant now) {
    if (now >= key_forget_at_) {
        mac_.security().forget(key_id(static_cast<std::uint16_t>(state_.key_number + 1)));
        forget_other_key();
        state_dirty_ = true;
        // Who was put out has not got the new key. A parent that has not been heard under it is asked.
        if (const Neighbour* parent = neighbours_.find(parent_);
            attached() && parent != nullptr && parent->key != mac_.security().current())
            schedule_report(now + spread(ask_parent_within), false);
    }
    if (joined() && !key_asked_ && needs_key()) {
        key_asked_ = true;
        schedule_report(now, false);
    }
}

}  // namespace wattmesh::mesh
