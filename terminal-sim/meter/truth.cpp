#include "terminal-sim/meter/truth.h"

#include <charconv>
#include <stdexcept>
#include <string>

namespace wattmesh::sim {
namespace {

std::runtime_error trouble(const std::filesystem::path& file, const std::string& why) {
    return std::runtime_error("truth file " + file.string() + ": " + why);
}

/// Offset behind the last whole line: a writer that was killed may have left half of one.
std::uintmax_t whole_lines(const std::filesystem::path& file, std::map<DeviceNumber, std::int64_t>& last) {
    std::ifstream in(file, std::ios::binary);
    std::string line;
    std::uintmax_t kept = 0, at = 0;
    while (std::getline(in, line) && !in.eof()) {
        at += line.size() + 1;
        const auto meter = DeviceNumber::parse(std::string_view{line}.substr(0, 12));
        std::int64_t stamp = 0;
        if (line.size() < 14 || !meter ||
            std::from_chars(line.data() + 13, line.data() + line.size(), stamp).ec != std::errc{}) {
            if (line == "meter,at_epoch_s,channel,value") {
                kept = at;
                continue;
            }
            throw trouble(file,
                          "holds a line that is not meter,at_epoch_s,channel,value; move the file away");
        }
        if (line.find(",4,") == std::string::npos) continue;  // a row is whole with its fourth channel
        kept = at;
        last[*meter] = std::max(last[*meter], stamp);
    }
    return kept;
}

}  // namespace

Truth::Truth(const std::filesystem::path& file, bool keep_rows) : keep_rows_(keep_rows) {
    const bool exists = std::filesystem::exists(file);
    if (exists) std::filesystem::resize_file(file, whole_lines(file, last_));
    const bool empty = !exists || std::filesystem::file_size(file) == 0;
    out_.open(file, std::ios::app | std::ios::binary);
    if (!out_) throw trouble(file, "cannot be written; check the folder and its rights");
    if (empty) out_ << "meter,at_epoch_s,channel,value\n" << std::flush;
}

void Truth::record(const DeviceNumber& meter, Instant stamp, const Energies& energies) {
    const std::int64_t second = epoch_us(stamp) / 1'000'000;
    if (keep_rows_) rows_[{meter, second}] = energies;
    if (!out_.is_open()) return;
    auto& last = last_[meter];
    if (second <= last) return;
    last = second;
    std::string lines;
    for (std::size_t channel = 0; channel < energies.channels.size(); ++channel)
        lines += to_string(meter) + "," + std::to_string(second) + "," + std::to_string(channel + 1) + "," +
                 std::to_string(energies.channels[channel]) + "\n";
    out_ << lines << std::flush;
    if (!out_) throw std::runtime_error("truth file: cannot be written any more (is the disk full?)");
}

}  // namespace wattmesh::sim
