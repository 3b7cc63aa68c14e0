#include "protocol/mesh/link_estimator.h"

#include <algorithm>
#include <array>

namespace wattmesh::mesh {
namespace {

// Strength to chance, straight lines between the points: the non-coherent 2-FSK curve for 80 octets smeared
// by Rician K = 6 dB.
struct Point {
    std::int32_t dbm, q10;
};
constexpr std::array<Point, 9> curve{{{-112, 10},
                                      {-107, 60},
                                      {-104, 220},
                                      {-101, 520},
                                      {-98, 780},
                                      {-95, 910},
                                      {-91, 985},
                                      {-86, 1010},
                                      {-75, 1022}}};
constexpr std::int32_t window = 32;
constexpr std::int32_t prior_weight = 4;

}  // namespace

std::int32_t LinkEstimator::prior_q10(std::int8_t rssi_dbm) {
    if (rssi_dbm <= curve.front().dbm) return curve.front().q10;
    for (std::size_t i = 1; i < curve.size(); ++i) {
        const auto& [low, from] = curve[i - 1];
        const auto& [high, to] = curve[i];
        if (rssi_dbm <= high) return from + (to - from) * (rssi_dbm - low) / (high - low);
    }
    return curve.back().q10;
}

LinkEstimator::LinkEstimator(std::int8_t rssi_dbm) { set_prior(rssi_dbm); }

void LinkEstimator::set_prior(std::int8_t rssi_dbm) {
    good_ = prior_weight * prior_q10(rssi_dbm);
    bad_ = prior_weight * one - good_;
}

void LinkEstimator::reseed(std::int8_t rssi_dbm) {
    if (!measured()) set_prior(rssi_dbm);
}

void LinkEstimator::record(int tries, bool acknowledged) {
    if (tries <= 0) return;
    answered_ = answered_ || acknowledged;
    good_ += acknowledged ? one : 0;
    bad_ += (tries - (acknowledged ? 1 : 0)) * one;
    evidence_ = std::min(evidence_ + tries, window);
    if (good_ + bad_ > window * one) {
        good_ /= 2;
        bad_ /= 2;
    }
}

std::uint32_t LinkEstimator::etx_q7() const {
    const std::int64_t etx = (std::int64_t{good_} + bad_) * 128 / std::max(good_, 1);
    return static_cast<std::uint32_t>(std::clamp<std::int64_t>(etx, 128, 128 * 64));
}

std::uint8_t LinkEstimator::etx_q4() const {
    return static_cast<std::uint8_t>(std::min<std::uint32_t>(etx_q7() / 8, 255));
}

}  // namespace wattmesh::mesh
