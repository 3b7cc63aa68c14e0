#include <cstdio>

#include "terminal-sim/tool/command.h"
#include "terminal-sim/tool/truth_comparison.h"

namespace wattmesh::sim {

int run_truth(const Call& call) {
    if (call.words != std::vector<std::string>{"compare"})
        throw platform::SettingsError("truth: say `truth compare --truth FILE --csv FILE`");
    const auto truth = read_reading_file(call.settings.required<std::filesystem::path>("truth"));
    const auto stored = read_reading_file(call.settings.required<std::filesystem::path>("csv"));
    const TruthComparison counts = compare(truth, stored);
    std::printf(
        "{\"expected\":%zu,\"stored\":%zu,\"missing\":%zu,\"wrong\":%zu,\"extra\":%zu,\"duplicate\":%zu}\n",
        counts.expected, counts.stored, counts.missing, counts.wrong, counts.extra, counts.duplicate);
    for (const auto& example : counts.examples) std::fprintf(stderr, "%s\n", example.c_str());
    return counts.missing + counts.wrong + counts.extra + counts.duplicate == 0 ? 0 : 1;
}

}  // namespace wattmesh::sim
