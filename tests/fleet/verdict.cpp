#include "tests/fleet/verdict.h"

namespace wattmesh::fleet {
namespace {

bool equal(const dcu::IntervalRow& row, const sim::Energies& truth) {
    if (row.channels != truth.channels.size()) return false;
    for (std::size_t i = 0; i < truth.channels.size(); ++i)
        if (row.values[i] != truth.channels[i]) return false;
    return true;
}

}  // namespace

Verdict judge(World& world, HeadModel& model, Instant until) {
    Verdict verdict;
    const auto stored = model.rows();
    const auto& truth = world.field().truth().rows();
    const auto note = [&](const DeviceNumber& meter, Instant at, const char* what) {
        if (verdict.example.empty())
            verdict.example =
                to_string(meter) + " at " + std::to_string(epoch_us(at) / 1'000'000) + ' ' + what;
    };
    for (const auto& [key, energies] : truth) {
        const Instant at{std::chrono::seconds{key.second}};
        if (at > until) continue;
        ++verdict.expected;
        const auto found = stored.find({key.first, at});
        if (found == stored.end()) {
            ++verdict.missing;
            note(key.first, at, "is missing");
        } else if (!equal(found->second, energies)) {
            ++verdict.wrong;
            note(key.first, at, "has another value");
        }
    }
    for (const auto& [key, row] : stored) {
        ++verdict.stored;
        if (truth.count({key.first, epoch_us(key.second) / 1'000'000}) != 0) continue;
        ++verdict.invented;
        note(key.first, key.second, "was never measured");
    }
    verdict.conflicts = model.conflicts();
    verdict.rejected = model.rejected();
    return verdict;
}

}  // namespace wattmesh::fleet
