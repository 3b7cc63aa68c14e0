#pragma once
#include <deque>
#include <map>
#include <optional>

#include "protocol/base/id.h"
#include "protocol/base/time.h"

namespace wattmesh::headend::frontend {

struct DampingSettings {
    std::size_t calls_max = 6;  ///< of one number within `window`
    Duration window = std::chrono::minutes{1};
    Duration hold = std::chrono::minutes{2};
};

/// "Newest wins" is a lever for whoever knows a number: one that calls in too often is held off for a while,
/// and keeps the session that it has.
class Damping {
public:
    explicit Damping(const DampingSettings& settings) : settings_(settings) {}
    /// A number calls in; false when it is held off.
    bool admit(DeviceNumber number, Instant now);
    /// Drops what nobody asks for any more.
    void forget_old(Instant now);
    std::size_t size() const { return calls_.size(); }

private:
    struct Calls {
        std::deque<Instant> at;
        std::optional<Instant> held_until;
    };
    const DampingSettings& settings_;
    std::map<DeviceNumber, Calls> calls_;
};

}  // namespace wattmesh::headend::frontend
