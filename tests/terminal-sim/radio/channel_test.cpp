#include <catch2/catch.hpp>
#include <cmath>
#include <vector>

#include "terminal-sim/radio/channel.h"
#include "terminal-sim/radio/decibel.h"
#include "terminal-sim/radio/layout.h"

using namespace wattmesh;
using namespace wattmesh::sim;

namespace {

const Instant noon{Duration{1'760'011'200'000'000}};  // 2025-10-09 12:00 UTC

struct Measured {
    double degree = 0, reach = 0, hops_mean = 0;
    int hops_max = 0;
};

/// As the static reference was made: means only, 3 dB stale offset, 80 B data and 22 B ACK; a hop where both
/// directions pass 0.25.
Measured measure(LayoutKind kind, std::size_t meters, int hardness, std::uint64_t seed) {
    const Layout town =
        layout({.kind = kind, .meters = meters, .concentrators = 1, .seed = seed, .hardness_db = hardness});
    const Channel channel{town, seed, mesh::PhyRate::kbit50};
    const auto chance = [&](std::size_t from, std::size_t to, std::size_t size) {
        return channel.success(channel.mean_mdbm(from, to) - 3'000 - channel.noise_mdbm(to, noon), size) /
               65'536.0;
    };
    Measured result;
    std::vector<int> hops(channel.size(), -1);
    std::vector<std::size_t> frontier{meters};
    hops[meters] = 0;
    for (std::size_t i = 0; i < frontier.size(); ++i)
        for (std::size_t to = 0; to < meters; ++to) {
            const auto from = frontier[i];
            const bool usable = chance(from, to, 80) * chance(to, from, 22) >= 0.25 &&
                                chance(to, from, 80) * chance(from, to, 22) >= 0.25;
            if (hops[to] >= 0 || !usable) continue;
            hops[to] = hops[from] + 1;
            frontier.push_back(to);
        }
    for (std::size_t a = 0; a < meters; ++a)
        for (std::size_t b = 0; b < meters; ++b) result.degree += a != b && chance(a, b, 80) > 0.9 ? 1 : 0;
    result.degree /= static_cast<double>(meters);
    for (std::size_t a = 0; a < meters; ++a) {
        if (hops[a] < 0) continue;
        result.reach += 1;
        result.hops_mean += hops[a];
        result.hops_max = std::max(result.hops_max, hops[a]);
    }
    result.hops_mean /= std::max(result.reach, 1.0);
    result.reach *= 100 / static_cast<double>(meters);
    return result;
}

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
    for (const auto kind : {LayoutKind::urban, LayoutKind::rural}) {
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
        CHECK(layout(other).meters[7].x_cm != a.meters[7].x_cm);
    }
}

TEST_CASE("channel: looking changes nothing, and links vary as the model says", "[radio]") {
    const Layout town = layout({.kind = LayoutKind::rural, .meters = 40, .seed = 3});
    const Channel channel{town, 3, mesh::PhyRate::kbit50};
    const Mdb before = channel.now_mdbm(1, 2, noon);
    double squares = 0, power = 0;
    int count = 0;
    for (int minute = 0; minute < 3'000; ++minute) {
        const Instant at = noon + std::chrono::minutes{minute * 7};
        const double slow = (channel.slow_mdbm(4, 5, at) - channel.mean_mdbm(4, 5)) / 1'000.0;
        squares += slow > -8 ? slow * slow : 0;  // blocked moments left out
        power += std::pow(10.0, (channel.now_mdbm(4, 5, at) - channel.slow_mdbm(4, 5, at)) / 10'000.0);
        ++count;
    }
    CHECK(std::sqrt(squares / count) == Approx(3.0).margin(0.4));  // (a) sigma 3 dB
    CHECK(power / count == Approx(1.0).margin(0.05));              // (b) Rician of mean power 1
    CHECK(channel.now_mdbm(1, 2, noon) == before);
    // reciprocal but for the units' own power
    CHECK(channel.now_mdbm(1, 2, noon) - channel.now_mdbm(2, 1, noon) ==
          town.meters[1].tx_power_mdbm - town.meters[2].tx_power_mdbm);
    // (d) evening noise
    CHECK(channel.noise_mdbm(1, noon + std::chrono::hours{7}) - channel.noise_mdbm(1, noon) == 4'000);
}

TEST_CASE("channel: degrees and hops are those of the static reference table", "[radio]") {
    // Mesh design 3, static reference values at 50 kbit/s, 8 seeds. Hops there are of cheapest routes, here
    // of fewest hops: lower.
    struct Row {
        const char* name;
        LayoutKind kind;
        std::size_t meters;
        int hardness;
        double degree, hops;
    };
    for (const auto& row : {Row{"U500 D0", LayoutKind::urban, 500, 0, 133, 1.2},
                            Row{"R150 D0", LayoutKind::rural, 150, 0, 23, 2.1},
                            Row{"R150 D10", LayoutKind::rural, 150, 10, 13, 3.1}}) {
        double degree = 0, hops = 0, reach = 0;
        for (std::uint64_t seed = 1; seed <= 8; ++seed) {
            const auto one = measure(row.kind, row.meters, row.hardness, seed);
            degree += one.degree / 8;
            hops += one.hops_mean / 8;
            reach += one.reach / 8;
        }
        INFO(row.name << ": degree " << degree << ", hops " << hops << ", reach " << reach);
        CHECK(degree > row.degree * 0.7);  // houses of a group stand closer here than in the reference
        CHECK(degree < row.degree * 1.6);
        CHECK(hops > row.hops * 0.65);
        CHECK(hops < row.hops * 1.3);
        CHECK(reach > (row.hardness == 0 ? 98 : 60));
    }
}
