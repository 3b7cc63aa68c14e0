#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <string>
#include <vector>

#include "terminal-sim/radio/channel.h"
#include "terminal-sim/radio/decibel.h"
#include "terminal-sim/radio/layout.h"

using namespace wattmesh;
using namespace wattmesh::sim;

namespace {

const Instant noon{Duration{1'760'011'200'000'000}};  // 2025-10-09 12:00 UTC

}  // namespace

TEST_CASE("decibel: powers and logarithms agree with the definition", "[radio]") {
    for (Mdb mdbm = -135'000; mdbm <= 20'000; mdbm += 997) {
        const double exact = std::pow(10.0, mdbm / 10'000.0) * 1e16;
        CHECK(static_cast<double>(power_of(mdbm)) == Approx(exact).epsilon(0.005).margin(1.0));
        CHECK(mdbm_of(power_of(mdbm)) == Approx(mdbm).margin(mdbm < -125'000 ? 30 : 6));
    }
    CHECK(mdbm_of(0) == -160'000);
    // two equal powers are 3.01 dB more
    CHECK(mdbm_of(2 * power_of(-90'000)) == Approx(-86'990).margin(5));
}

TEST_CASE("decibel: the bit error curve is that of non-coherent 2-FSK", "[radio]") {
    // P_b = exp(-E_b / 2 N_0) / 2: 80 octets at 12 dB come through with 0.89, at 9 dB with 0.002 (mesh design
    // 3).
    const auto chance = [](double db) {
        return success_q16(bit_loss_q32(static_cast<Mdb>(db * 1'000)) * 640) / 65'536.0;
    };
    for (const double db : {6.0, 9.0, 10.5, 11.0, 12.0, 13.0, 15.0}) {
        const double bit_error = std::exp(-std::pow(10.0, db / 10) / 2) / 2;
        CHECK(chance(db) == Approx(std::pow(1 - bit_error, 640)).margin(0.004));
    }
}

TEST_CASE("decibel: deviates have the moments they claim", "[radio]") {
    double sum = 0, squares = 0, exponential = 0;
    for (std::uint32_t i = 0; i < 65'536; i += 16) {
        sum += normal_q10(i) / 1'024.0;
        squares += std::pow(normal_q10(i) / 1'024.0, 2);
        exponential += exponential_q10(i) / 1'024.0;
    }
    CHECK(sum / 4'096 == Approx(0).margin(0.002));
    CHECK(squares / 4'096 == Approx(1).margin(0.01));
    CHECK(exponential / 4'096 == Approx(1).margin(0.01));
}

TEST_CASE("layout: a pure function with as many places as asked", "[radio]") {
    for (const auto kind : {LayoutKind::urban, LayoutKind::suburban, LayoutKind::rural,
                            LayoutKind::sparse_rural, LayoutKind::high_rise}) {
        const LayoutRequest request{.kind = kind,
                                    .meters = 201,
                                    .concentrators = 2,
                                    .seed = 9,
                                    .hardness_db = 6,
                                    .summary_meters = true};
        const Layout a = layout(request), b = layout(request);
        REQUIRE(a.meters.size() == 203);
        REQUIRE(a.concentrators.size() == 2);
        CHECK(a.meters[201].summary);
        for (std::size_t i = 0; i < a.meters.size(); ++i) {
            CHECK(a.meters[i].x_cm == b.meters[i].x_cm);
            CHECK(a.meters[i].noise_mdbm == b.meters[i].noise_mdbm);
        }
        auto other = request;
        other.seed = 10;
        CHECK(layout(other).meters[7].noise_mdbm != a.meters[7].noise_mdbm);
        CHECK(layout_kind(std::string(1, static_cast<char>(kind))) == kind);
    }
}

TEST_CASE("layout: only the five letters of the scenarios name one", "[radio]") {
    for (const char* letter : {"", "u", "X", "UR"}) CHECK(!layout_kind(letter));
}

TEST_CASE("layout: scenarios look as they are described", "[radio]") {
    // S: lots of 25 x 45 m, a tenth of them empty: a meter per 1250 m2
    const Layout suburb = layout({.kind = LayoutKind::suburban, .meters = 1'000, .seed = 4});
    std::int64_t farthest = 0;
    for (const auto& place : suburb.meters)
        farthest =
            std::max(farthest, std::int64_t{place.x_cm} * place.x_cm + std::int64_t{place.y_cm} * place.y_cm);
    CHECK(3.1416 * static_cast<double>(farthest) / 1e4 / 1'000 == Approx(1'250).epsilon(0.08));
    // H: eight meters on each of 30 floors of 3 m
    const Layout tower = layout({.kind = LayoutKind::high_rise, .meters = 240, .seed = 4});
    CHECK(tower.meters.back().z_cm == 30 * 300);
    CHECK(std::count_if(tower.meters.begin(), tower.meters.end(),
                        [](const Place& p) { return p.cluster == 17; }) == 8);
    // R and Q: the concentrator stands at a group, on the line
    for (const auto kind : {LayoutKind::rural, LayoutKind::sparse_rural}) {
        const Layout line = layout({.kind = kind, .meters = 150, .seed = 4});
        std::int64_t nearest = 1'000'000'000;
        for (const auto& place : line.meters)
            nearest = std::min<std::int64_t>(nearest, std::abs(place.x_cm - line.concentrators[0].x_cm));
        CHECK(nearest < 1'000);
    }
}

TEST_CASE("channel: looking changes nothing, and links vary as the model says", "[radio]") {
    const Layout town = layout({.kind = LayoutKind::rural, .meters = 40, .seed = 3});
    const Channel channel{town, 3, mesh::PhyRate::kbit50};
    const Mdb before = channel.now_mdbm(1, 2, 0, noon);
    double squares = 0, power = 0;
    int count = 0;
    for (int minute = 0; minute < 3'000; ++minute) {
        const Instant at = noon + std::chrono::minutes{minute * 7};
        const double slow = (channel.slow_mdbm(4, 5, at) - channel.mean_mdbm(4, 5)) / 1'000.0;
        squares += slow > -8 ? slow * slow : 0;  // blocked moments left out
        power += std::pow(10.0, (channel.now_mdbm(4, 5, 0, at) - channel.slow_mdbm(4, 5, at)) / 10'000.0);
        ++count;
    }
    CHECK(std::sqrt(squares / count) == Approx(3.0).margin(0.4));  // (a) sigma 3 dB
    CHECK(power / count == Approx(1.0).margin(0.05));              // (b) Rician of mean power 1
    CHECK(channel.now_mdbm(1, 2, 0, noon) == before);
    // reciprocal but for the units' own power
    CHECK(channel.now_mdbm(1, 2, 0, noon) - channel.now_mdbm(2, 1, 0, noon) ==
          town.meters[1].tx_power_mdbm - town.meters[2].tx_power_mdbm);
    // (b) independent from channel to channel
    double product = 0;
    for (int second = 0; second < 4'000; ++second) {
        const Instant at = noon + std::chrono::seconds{second};
        product += (channel.now_mdbm(4, 5, 0, at) - channel.slow_mdbm(4, 5, at)) / 1'000.0 *
                   (channel.now_mdbm(4, 5, 3, at) - channel.slow_mdbm(4, 5, at)) / 1'000.0 / 4'000;
    }
    CHECK(std::abs(product) < 1.2);  // dB2; one channel with itself: above 9
    // (d) evening noise
    CHECK(channel.noise_mdbm(1, noon + std::chrono::hours{7}) - channel.noise_mdbm(1, noon) == 4'000);
}

TEST_CASE("channel: slow fading forgets with e^-t/30 min", "[radio]") {
    // Ornstein-Uhlenbeck: correlation 0.37 after 30 minutes, 0.14 after an hour; the straight line between
    // steps of 15 minutes adds up to 0.08
    const Layout town = layout({.kind = LayoutKind::suburban, .meters = 60, .seed = 3});
    const Channel channel{town, 3, mesh::PhyRate::kbit50};
    const auto correlation = [&](int minutes) {
        double product = 0, squares = 0;
        for (std::size_t a = 0; a < 60; ++a)
            for (std::size_t b = 0; b < a; ++b) {
                const auto at = [&](int minute) {
                    return (channel.slow_mdbm(a, b, noon + std::chrono::minutes{minute}) -
                            channel.mean_mdbm(a, b)) /
                           1'000.0;
                };
                if (at(0) < -9 || at(minutes) < -9) continue;  // blocked
                product += at(0) * at(minutes);
                squares += at(0) * at(0);
            }
        return product / squares;
    };
    CHECK(correlation(30) == Approx(0.37).margin(0.1));
    CHECK(correlation(60) == Approx(0.14).margin(0.08));
    CHECK(correlation(300) == Approx(0).margin(0.08));
}

TEST_CASE("channel: blockage and foreign bursts come as often as the model says", "[radio]") {
    const Layout town = layout({.kind = LayoutKind::suburban, .meters = 150, .seed = 3});
    const Channel channel{town, 3, mesh::PhyRate::kbit50};
    // 10 % of 1225 links lose 10 dB once in 12 hours, all within a minute; slow fading does not jump so far
    int blocked = 0;
    for (std::size_t a = 0; a < 50; ++a)
        for (std::size_t b = 0; b < a; ++b)
            for (int minute = 0; minute < 720; ++minute) {
                const Instant at = noon + std::chrono::minutes{minute};
                const auto now = channel.slow_mdbm(a, b, at);
                blocked += now - channel.slow_mdbm(a, b, at + std::chrono::minutes{1}) > 7'000 ? 1 : 0;
            }
    CHECK(blocked == Approx(122).epsilon(0.25));
    std::size_t bursts = 0, on_channel_5 = 0;
    for (std::int64_t second = 0; second < 50'000; ++second)
        for (const auto& burst : channel.bursts(second)) {
            ++bursts;
            on_channel_5 += burst.channel == 5 ? 1 : 0;
            CHECK(epoch_us(burst.begin) / 1'000'000 == second);
        }
    CHECK(bursts == Approx(10'000).epsilon(0.03));
    CHECK(on_channel_5 == Approx(1'250).epsilon(0.08));
}
