#pragma once
#include <array>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace wattmesh::headend::frontend {

/// Addresses that share their first bits: "10.0.0.0/8", "2001:db8::/32"; without a '/' one address.
class AddressRange {
public:
    static std::optional<AddressRange> parse(std::string_view text);
    /// `address` numeric; IPv4 in IPv6 (::ffff:10.0.0.1) counts as IPv4. False for what is no address.
    bool holds(std::string_view address) const;

private:
    std::array<std::uint8_t, 16> first_{};  ///< IPv4 mapped into IPv6
    unsigned bits_ = 0;
};
/// No range at all: everybody.
bool admits(const std::vector<AddressRange>& ranges, std::string_view address);

}  // namespace wattmesh::headend::frontend
