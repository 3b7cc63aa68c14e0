#include "headend/frontend/quarantine.h"

#include <algorithm>

namespace wattmesh::headend::frontend {

bool Quarantine::note(Stranger stranger, Instant now) {
    const auto known = std::ranges::find(strangers_, stranger.identity, &Stranger::identity);
    if (known != strangers_.end()) {
        known->last = now;
        ++known->calls;
        return false;
    }
    if (strangers_.size() >= size_max_)
        strangers_.erase(std::ranges::min_element(strangers_, {}, &Stranger::last));
    stranger.first = stranger.last = now;
    stranger.calls = 1;
    strangers_.push_back(std::move(stranger));
    return true;
}

void Quarantine::forget(const std::string& identity) {
    std::erase_if(strangers_, [&](const Stranger& one) { return one.identity == identity; });
}

}  // namespace wattmesh::headend::frontend
