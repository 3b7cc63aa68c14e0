#pragma once
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace wattmesh::security {

/// Which calls of a log may have a name: 32 bits of the name's hash and the call's number, in a table that is
/// half to three quarters full, 11 to 16 octets for each call. Whoever finds one looks into the log whether
/// it is the one, for names of the same hash are told apart there only. Not thread safe.
class CallIndex {
public:
    using Hash = std::uint32_t;
    static Hash hash_of(std::string_view name);

    /// `sequence` is from 1 to 2^32 - 1 and greater than each one before.
    void add(Hash hash, std::uint64_t sequence);
    /// The first call of this hash behind `after`.
    std::optional<std::uint64_t> next(Hash hash, std::uint64_t after) const;

private:
    struct Slot {
        Hash hash = 0;
        std::uint32_t sequence = 0;  ///< 0: free
    };
    void put(Slot slot);

    std::vector<Slot> slots_;
    std::size_t used_ = 0;
};

}  // namespace wattmesh::security
