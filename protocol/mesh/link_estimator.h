#pragma once
#include <cstdint>

namespace wattmesh::mesh {

/// A strength heard, for judging a link that was never tried: it says nothing sure of the way back, and of
/// many heard the luckiest looks best.
constexpr std::int8_t cautious(std::int8_t rssi_dbm) {
    return static_cast<std::int8_t>(rssi_dbm < -124 ? -127 : rssi_dbm - 3);
}

/// Expected transmissions on one directed link: a Beta posterior over the chance that a frame is
/// acknowledged. The prior comes from signal strength and is worth four transmissions; evidence fades with a
/// half-life of 32. Only acknowledged unicasts count. Source: mesh design 2.4.
class LinkEstimator {
public:
    LinkEstimator() = default;
    explicit LinkEstimator(std::int8_t rssi_dbm);

    /// Chance in 1/1024 that a frame of 80 octets and its ACK come through at this strength; never falls as
    /// rssi rises.
    static std::int32_t prior_q10(std::int8_t rssi_dbm);

    /// Evidence of one exchange: `tries` transmissions, the last of them acknowledged or not.
    void record(int tries, bool acknowledged);
    /// New strength while nothing was tried yet: the prior follows it.
    void reseed(std::int8_t rssi_dbm);

    bool measured() const { return evidence_ > 0; }
    /// It has worked at least once.
    bool answered() const { return answered_; }
    /// Expected transmissions x 128, 128 to 128 x 64.
    std::uint32_t etx_q7() const;
    std::uint8_t etx_q4() const;

private:
    void set_prior(std::int8_t rssi_dbm);
    static constexpr std::int32_t one = 1 << 10;  // one transmission
    std::int32_t good_ = 2 * one, bad_ = 2 * one;
    std::int32_t evidence_ = 0;
    bool answered_ = false;
};

}  // namespace wattmesh::mesh
