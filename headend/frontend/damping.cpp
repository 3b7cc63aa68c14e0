#include "headend/frontend/damping.h"

namespace wattmesh::headend::frontend {

bool Damping::admit(DeviceNumber number, Instant now) {
    Calls& calls = calls_[number];
    if (calls.held_until && now < *calls.held_until) return false;
    calls.held_until.reset();
    while (!calls.at.empty() && now - calls.at.front() >= settings_.window) calls.at.pop_front();
    if (calls.at.size() >= settings_.calls_max) {
        calls.held_until = now + settings_.hold;
        return false;
    }
    calls.at.push_back(now);
    return true;
}

void Damping::forget_old(Instant now) {
    std::erase_if(calls_, [&](const auto& entry) {
        const Calls& calls = entry.second;
        if (calls.held_until && now < *calls.held_until) return false;
        return calls.at.empty() || now - calls.at.back() >= settings_.window;
    });
}

}  // namespace wattmesh::headend::frontend
