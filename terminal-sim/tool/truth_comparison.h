#pragma once
#include <compare>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "protocol/base/id.h"

namespace wattmesh::sim {

/// One value of one channel: a line "meter,at_epoch_s,channel,value".
struct ReadingLine {
    DeviceNumber meter;
    std::int64_t at_epoch_s = 0;
    std::int32_t channel = 0;
    std::int64_t value = 0;
    friend auto operator<=>(const ReadingLine&, const ReadingLine&) = default;
};
/// A heading may come first. Throws std::runtime_error naming file and line number.
std::vector<ReadingLine> read_reading_file(const std::filesystem::path& file);

struct TruthComparison {
    std::size_t expected = 0;           ///< values in the truth
    std::size_t stored = 0;             ///< lines stored
    std::size_t missing = 0;            ///< in the truth, not stored
    std::size_t wrong = 0;              ///< stored with another value
    std::size_t extra = 0;              ///< stored, not in the truth
    std::size_t duplicate = 0;          ///< stored lines beyond the first of a value
    std::vector<std::string> examples;  ///< the first few of each trouble, for people
};
TruthComparison compare(std::vector<ReadingLine> truth, std::vector<ReadingLine> stored);

}  // namespace wattmesh::sim
