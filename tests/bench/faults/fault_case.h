#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace wattmesh::bench {

/// What one run of a case showed.
struct Verdict {
    struct Figure {
        std::string name;
        std::optional<double> value;  ///< nothing: not reached, printed as null
    };
    std::string variant;  ///< of the case; empty when there is but one
    std::vector<Figure> figures;
    bool pass = false;
    std::string reason;  ///< why not

    Verdict& add(std::string name, std::optional<double> value) {
        figures.push_back({std::move(name), value});
        return *this;
    }
    template <class Number>
        requires std::is_arithmetic_v<Number>
    Verdict& add(std::string name, Number value) {
        return add(std::move(name), std::optional<double>{static_cast<double>(value)});
    }
    /// One clause of the pass rule; the first that does not hold is the reason.
    Verdict& must(bool holds, const char* rule) {
        if (!holds && reason.empty()) reason = rule;
        pass = reason.empty();
        return *this;
    }
};

/// A1 to A18 of the mesh's design, section 5; the rules stand in README.md.
struct FaultCase {
    const char* name;
    const char* title;
    bool nightly;  ///< too long for every day
    std::vector<Verdict> (*run)(std::uint64_t seed);
};
const std::vector<FaultCase>& fault_cases();

std::vector<Verdict> bridge_dies(std::uint64_t seed);
std::vector<Verdict> fifth_dies(std::uint64_t seed);
std::vector<Verdict> root_neighbourhood_dies(std::uint64_t seed);
std::vector<Verdict> jammed(std::uint64_t seed);
std::vector<Verdict> hidden_terminals(std::uint64_t seed);
std::vector<Verdict> dense_cabinet(std::uint64_t seed);
std::vector<Verdict> two_roots(std::uint64_t seed);
std::vector<Verdict> root_restored(std::uint64_t seed);
std::vector<Verdict> duplicated_number(std::uint64_t seed);
std::vector<Verdict> replays_and_forgeries(std::uint64_t seed);
std::vector<Verdict> sinkhole(std::uint64_t seed);
std::vector<Verdict> one_way_links(std::uint64_t seed);
std::vector<Verdict> a_week(std::uint64_t seed);
std::vector<Verdict> a_month(std::uint64_t seed);
std::vector<Verdict> full_tables(std::uint64_t seed);
std::vector<Verdict> full_tables_large(std::uint64_t seed);
std::vector<Verdict> edges_of_counters(std::uint64_t seed);
std::vector<Verdict> broken_frames(std::uint64_t seed);
std::vector<Verdict> mixed_rates(std::uint64_t seed);
std::vector<Verdict> firmware_broadcast(std::uint64_t seed);

}  // namespace wattmesh::bench
