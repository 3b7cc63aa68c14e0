#pragma once
#include <string>
#include <vector>

#include "protocol/base/bytes.h"
#include "protocol/base/time.h"

namespace wattmesh::headend::frontend {

/// A device that called in and is nobody we know.
struct Stranger {
    std::string identity, profile, port;
    Buffer first_octets;
    Instant first{}, last{};
    std::uint64_t calls = 0;
};

/// Who waits to be registered; the one that called longest ago makes room.
class Quarantine {
public:
    explicit Quarantine(std::size_t size_max = 256) : size_max_(size_max) {}
    /// True when it is new here.
    bool note(Stranger stranger, Instant now);
    void forget(const std::string& identity);
    const std::vector<Stranger>& strangers() const { return strangers_; }

private:
    std::size_t size_max_;
    std::vector<Stranger> strangers_;
};

}  // namespace wattmesh::headend::frontend
