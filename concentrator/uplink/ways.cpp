#include "concentrator/uplink/ways.h"

#include <algorithm>
#include <array>
#include <cassert>

#include "protocol/base/bytes.h"
#include "protocol/base/reader.h"

namespace wattmesh::concentrator {

Ways::Ways(WaysSettings settings, Random& random)
    : settings_(std::move(settings)),
      random_(random),
      states_(settings_.ways.size()),
      counts_(settings_.ways.size()),
      backoff_(settings_.backoff_min) {
    assert(!settings_.ways.empty());
    for (auto& state : states_) state.stable = settings_.stable_min;
}

Duration Ways::draw(Duration low, Duration high) {
    std::array<std::uint8_t, 4> chance{};
    random_.fill(chance);
    return low + Duration{(high - low).count() * (Reader{chance}.u32() >> 8) / (1 << 24)};
}

void Ways::logged_in(const Now& now) {
    ++counts_[current_].sessions;
    session_since_ = now.steady;
    backoff_ = settings_.backoff_min;
    for (auto& state : states_) state.tried = false;
    forget_probes();
    if (current_ > 0) probe_at_ = now.steady + draw(settings_.probe_every / 2, settings_.probe_every);
}

void Ways::forget_probes() {
    for (auto& state : states_) state.good_since.reset();
    probing_.reset();
    proved_.reset();
    probe_at_ = never;
}

std::optional<std::size_t> Ways::best_untried() const {
    for (std::size_t way = 0; way < states_.size(); ++way)
        if (states_[way].available && !states_[way].tried) return way;
    return std::nullopt;
}

void Ways::go_to(std::size_t way) {
    if (way == current_) return;
    ++moves_;
    current_ = way;
}

Duration Ways::failed(const std::string& reason, bool silent, const Now& now) {
    auto& state = states_[current_];
    ++counts_[current_].failures;
    counts_[current_].last_failure = reason;
    const auto held = session_since_ ? now.steady - *session_since_ : Duration{0};
    const bool again = session_since_.has_value() && !silent && state.available;
    if (returned_)
        state.stable =
            held < state.stable ? std::min(state.stable * 2, settings_.stable_max) : settings_.stable_min;
    session_since_.reset();
    returned_ = false;
    forget_probes();
    if (again) return draw(settings_.backoff_min / 2, settings_.backoff_min);  // most likely it is back soon
    state.tried = true;
    if (const auto next = best_untried()) {
        go_to(*next);
        return draw(Duration{0}, settings_.move_pause_max);
    }
    for (auto& other : states_) other.tried = false;
    go_to(best_untried().value_or(0));
    const auto pause = draw(backoff_ / 2, backoff_);
    backoff_ = std::min(backoff_ * 2, settings_.backoff_max);
    return pause;
}

bool Ways::set_available(const std::string& bearer, bool available, const Now& now) {
    for (std::size_t way = 0; way < states_.size(); ++way) {
        auto& state = states_[way];
        if (settings_.ways[way].bearer != bearer || state.available == available) continue;
        state.available = available;
        state.good_since.reset();
        if (proved_ == way) proved_.reset();
        if (available) state.tried = false;
        if (available && session_since_ && way < current_) probe_at_ = std::min(probe_at_, now.steady);
    }
    if (states_[current_].available) return false;
    if (session_since_) return true;
    if (const auto next = best_untried()) go_to(*next);
    return false;
}

std::optional<std::size_t> Ways::take_probe(const Now& now) {
    if (!session_since_ || now.steady < probe_at_) return std::nullopt;
    if (probing_) probed(*probing_, false, now);
    probe_at_ = now.steady + draw(settings_.probe_every / 2, settings_.probe_every);
    for (std::size_t tried = 0; tried < current_; ++tried) {
        const auto way = probe_next_++ % current_;
        if (!states_[way].available) continue;
        probing_ = way;
        ++counts_[way].probes;
        return way;
    }
    return std::nullopt;
}

void Ways::probed(std::size_t way, bool answered, const Now& now) {
    if (probing_ != way) return;  // of an earlier session, or too late
    probing_.reset();
    auto& state = states_[way];
    if (!answered) return state.good_since.reset();
    ++counts_[way].probes_answered;
    if (!state.good_since) state.good_since = now.steady;
    if (now.steady >= *state.good_since + state.stable) proved_ = std::min(way, proved_.value_or(way));
}

bool Ways::take_return() {
    if (!session_since_ || !proved_) return false;
    const auto way = *proved_;
    session_since_.reset();
    forget_probes();
    for (auto& state : states_) state.tried = false;
    go_to(way);
    ++returns_;
    returned_ = true;
    return true;
}

}  // namespace wattmesh::concentrator
