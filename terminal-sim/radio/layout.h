#pragma once
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace wattmesh::sim {

/// Scenario letters of the normative channel model (README.md).
enum class LayoutKind : char {
    urban = 'U',
    suburban = 'S',
    rural = 'R',
    sparse_rural = 'Q',
    high_rise = 'H'
};
/// Nothing for a letter that names no scenario.
std::optional<LayoutKind> layout_kind(std::string_view letter);

struct LayoutRequest {
    LayoutKind kind = LayoutKind::rural;
    std::size_t meters = 100;       ///< customer meters, shared evenly among the concentrators
    std::size_t concentrators = 1;  ///< each in a part of town of its own, out of the others' reach
    int apart_percent = 100;        ///< of the distance at which they are; not kept in a town's file
    std::uint64_t seed = 1;
    std::int32_t hardness_db = 0;  ///< D, added to every link between clusters
    bool summary_meters = false;   ///< one more meter beside each concentrator, after the customer meters
};
struct Place {
    std::int32_t x_cm = 0, y_cm = 0, z_cm = 0;
    std::uint32_t cluster =
        0;  ///< cabinet, group of houses or floor; the same number: short, nearly loss-free links
    std::uint32_t concentrator = 0;  ///< index of the concentrator this place belongs to
    std::int32_t box_loss_mdb = 0;   ///< cabinet or wall, thousandths of a decibel
    std::int32_t tx_power_mdbm = 0;  ///< of this very unit
    std::int32_t noise_mdbm = 0;     ///< noise floor of this very unit at 50 kbit/s
    bool summary = false;
};
struct Layout {
    LayoutRequest request;
    std::vector<Place> meters, concentrators;
};
/// A pure function of the request.
Layout layout(const LayoutRequest& request);

}  // namespace wattmesh::sim
