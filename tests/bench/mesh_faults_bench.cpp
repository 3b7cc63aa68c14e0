#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <string>
#include <string_view>

#include "tests/bench/faults/fault_case.h"

/// One JSON line per case, variant and seed; what the figures mean stands in tests/bench/faults/README.md.
namespace {

using namespace wattmesh::bench;

constexpr const char* usage =
    "usage: ops/bench mesh-faults [--case A6] [--seeds A-B] [--nightly]\n"
    "Adversarial cases of the mesh on the concentrator's and the meters' real code: one JSON line each with\n"
    "the figures of its pass rule.\n"
    "  --case     this one only, a long one too; may be given again\n"
    "  --seeds    one run each (101)\n"
    "  --nightly  the long ones too\n"
    "  --list     what there is\n"
    "Ends with 1 when a case did not pass.\n";

struct Wish {
    std::vector<std::string> cases;
    int seed_first = 101, seed_last = 101;
    bool nightly = false, list = false;
};

std::string escaped(std::string_view text) {
    std::string out;
    for (const char c : text) {
        if (c == '"' || c == '\\') out += '\\';
        out += c;
    }
    return out;
}

void print(const FaultCase& one, int seed, const Verdict& verdict) {
    std::printf("{\"case\":\"%s\",\"seed\":%d", one.name, seed);
    if (!verdict.variant.empty()) std::printf(",\"variant\":\"%s\"", escaped(verdict.variant).c_str());
    for (const auto& figure : verdict.figures) {
        std::printf(",\"%s\":", figure.name.c_str());
        figure.value ? std::printf("%.6g", *figure.value) : std::printf("null");
    }
    std::printf(",\"pass\":%s", verdict.pass ? "true" : "false");
    if (!verdict.reason.empty()) std::printf(",\"reason\":\"%s\"", escaped(verdict.reason).c_str());
    std::printf("}\n");
    std::fflush(stdout);
}

bool parse(int argc, char** argv, Wish& wish) {
    for (int i = 1; i < argc; ++i) {
        const std::string key = argv[i];
        const bool more = i + 1 < argc;
        if (key == "--nightly") {
            wish.nightly = true;
        } else if (key == "--list") {
            wish.list = true;
        } else if (key == "--case" && more) {
            wish.cases.emplace_back(argv[++i]);
        } else if (key == "--seeds" && more) {
            const std::string value = argv[++i];
            const auto dash = value.find('-');
            wish.seed_first = std::atoi(value.c_str());
            wish.seed_last =
                dash == std::string::npos ? wish.seed_first : std::atoi(value.c_str() + dash + 1);
        } else {
            return false;
        }
    }
    for (const auto& name : wish.cases) {
        bool known = false;
        for (const auto& one : fault_cases()) known = known || one.name == name;
        if (!known) return false;
    }
    return wish.seed_first > 0 && wish.seed_last >= wish.seed_first;
}

bool wanted(const Wish& wish, const FaultCase& one) {
    if (wish.cases.empty()) return wish.nightly || !one.nightly;
    for (const auto& name : wish.cases)
        if (name == one.name) return true;
    return false;
}

}  // namespace

int main(int argc, char** argv) {
    Wish wish;
    if (!parse(argc, argv, wish)) {
        std::fputs(usage, stderr);
        return 2;
    }
    bool all = true;
    for (const auto& one : fault_cases()) {
        if (wish.list) std::printf("%-4s %s%s\n", one.name, one.title, one.nightly ? " (nightly)" : "");
        if (wish.list || !wanted(wish, one)) continue;
        for (int seed = wish.seed_first; seed <= wish.seed_last; ++seed) {
            std::fprintf(stderr, "%s seed %d: %s\n", one.name, seed, one.title);
            try {
                for (const auto& verdict : one.run(static_cast<std::uint64_t>(seed))) {
                    print(one, seed, verdict);
                    all = all && verdict.pass;
                }
            } catch (const std::exception& trouble) {
                Verdict verdict;
                verdict.reason = trouble.what();
                print(one, seed, verdict);
                all = false;
            }
        }
    }
    return all ? 0 : 1;
}
