#include "terminal-sim/tool/truth_comparison.h"

#include <algorithm>
#include <charconv>
#include <fstream>
#include <optional>
#include <stdexcept>

namespace wattmesh::sim {
namespace {

constexpr std::size_t examples_max = 5;

std::optional<ReadingLine> parse(std::string_view line) {
    ReadingLine reading;
    const auto meter = DeviceNumber::parse(line.substr(0, 12));
    if (!meter) return std::nullopt;
    reading.meter = *meter;
    const char* at = line.data() + 12;
    const char* const end = line.data() + line.size();
    const auto number = [&](auto& into) {
        if (at == end || *at++ != ',') return false;
        const auto [after, error] = std::from_chars(at, end, into);
        at = after;
        return error == std::errc{};
    };
    if (!number(reading.at_epoch_s) || !number(reading.channel) || !number(reading.value) || at != end)
        return std::nullopt;
    return reading;
}

bool same_place(const ReadingLine& a, const ReadingLine& b) {
    return a.meter == b.meter && a.at_epoch_s == b.at_epoch_s && a.channel == b.channel;
}

std::string text(const ReadingLine& line) {
    return to_string(line.meter) + " at " + std::to_string(line.at_epoch_s) + " channel " +
           std::to_string(line.channel);
}

}  // namespace

std::vector<ReadingLine> read_reading_file(const std::filesystem::path& file) {
    std::ifstream in(file, std::ios::binary);
    if (!in) throw std::runtime_error(file.string() + ": cannot be read");
    std::vector<ReadingLine> readings;
    std::string line;
    for (std::size_t number = 1; std::getline(in, line); ++number) {
        if (!line.empty() && line.back() == '\r') line.pop_back();
        const auto reading = parse(line);
        if (reading)
            readings.push_back(*reading);
        else if (number != 1 || line.empty() || (line[0] >= '0' && line[0] <= '9'))
            throw std::runtime_error(file.string() + ": line " + std::to_string(number) +
                                     " is not meter,at_epoch_s,channel,value");
    }
    return readings;
}

TruthComparison compare(std::vector<ReadingLine> truth, std::vector<ReadingLine> stored) {
    std::sort(truth.begin(), truth.end());
    std::sort(stored.begin(), stored.end());
    truth.erase(std::unique(truth.begin(), truth.end()), truth.end());
    TruthComparison counts{truth.size(), stored.size(), 0, 0, 0, 0, {}};
    const auto tell = [&](std::size_t& count, const std::string& what) {
        if (count++ < examples_max) counts.examples.push_back(what);
    };
    auto line = stored.begin();
    const auto skip_duplicates = [&](const ReadingLine& first) {
        for (; line != stored.end() && same_place(*line, first); ++line)
            tell(counts.duplicate, "duplicate: " + text(*line));
    };
    for (const ReadingLine& expected : truth) {
        while (line != stored.end() && !same_place(*line, expected) && *line < expected) {
            const ReadingLine first = *line++;
            tell(counts.extra, "extra: " + text(first));
            skip_duplicates(first);
        }
        if (line == stored.end() || !same_place(*line, expected)) {
            tell(counts.missing, "missing: " + text(expected) + " value " + std::to_string(expected.value));
            continue;
        }
        const ReadingLine first = *line++;
        if (first.value != expected.value)
            tell(counts.wrong, "wrong: " + text(first) + " is " + std::to_string(first.value) +
                                   ", was measured as " + std::to_string(expected.value));
        skip_duplicates(first);
    }
    while (line != stored.end()) {
        const ReadingLine first = *line++;
        tell(counts.extra, "extra: " + text(first));
        skip_duplicates(first);
    }
    return counts;
}

}  // namespace wattmesh::sim
