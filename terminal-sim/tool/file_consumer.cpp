#include "terminal-sim/tool/file_consumer.h"

#include <algorithm>
#include <fstream>
#include <sstream>

#include "security/ciphers.h"

namespace wattmesh::sim {
namespace {

namespace fs = std::filesystem;
constexpr int total_digits = 6;
constexpr std::size_t first_value = 7;  ///< of a line D, counted in fields

std::vector<std::string> fields_of(const std::string& line) {
    std::vector<std::string> fields(1);
    for (const char c : line)
        if (c == ',')
            fields.emplace_back();
        else
            fields.back() += c;
    return fields;
}

/// A decimal number in millionths; nothing when it is none.
std::optional<std::int64_t> millionths(const std::string& text) {
    const bool negative = text.starts_with('-');
    std::int64_t value = 0;
    int behind = -1;
    for (const char c : text.substr(negative ? 1 : 0)) {
        if (c == '.' && behind < 0) {
            behind = 0;
            continue;
        }
        if (c < '0' || c > '9' || value > INT64_MAX / 10 - 10) return std::nullopt;
        value = value * 10 + (c - '0');
        if (behind >= 0) ++behind;
    }
    for (int i = std::max(behind, 0); i < total_digits; ++i) value *= 10;
    return behind > total_digits || text.size() == (negative ? 1U : 0U)
               ? std::nullopt
               : std::optional{negative ? -value : value};
}

/// What is wrong with a line D; adds its values to the sum.
std::string check_line(const std::vector<std::string>& fields, std::int64_t& sum, std::int64_t& values) {
    if (fields.size() < first_value) return "has too few fields";
    const auto count = static_cast<std::size_t>(std::atoi(fields[6].c_str()));
    if (count != 92 && count != 96 && count != 100 && std::atoi(fields[5].c_str()) == 15)
        return "a day has no " + fields[6] + " quarters";
    if (fields.size() != first_value + 2 * count)
        return "has other than " + fields[6] + " values and qualities";
    for (std::size_t i = 0; i < count; ++i) {
        const auto &value = fields[first_value + i], &quality = fields[first_value + count + i];
        if (value.empty() != (quality == "N") || (quality != "A" && quality != "E" && quality != "N"))
            return "value " + std::to_string(i + 1) + " and its quality do not fit";
        if (value.empty()) continue;
        const auto number = millionths(value);
        if (!number) return "value " + std::to_string(i + 1) + " is no number";
        sum += *number;
        ++values;
    }
    return {};
}

FileConsumer::Taken check(const std::string& name, const std::string& text) {
    FileConsumer::Taken taken{name, {}, 0, 0, 0};
    const auto trailer_at = text.rfind("\nT,");
    if (trailer_at == std::string::npos || text.back() != '\n') {
        taken.why = "there is no trailer";
        return taken;
    }
    const auto body = text.substr(0, trailer_at + 1);
    auto trailer = fields_of(text.substr(trailer_at + 1, text.size() - trailer_at - 2));
    std::istringstream in{body};
    std::string line;
    std::getline(in, line);
    const auto header = fields_of(line);
    if (header.size() != 11 || header[1] != "wattmesh-intervals" || header[2] != "1" || header[3] != name) {
        taken.why = "the header is not this file's";
        return taken;
    }
    std::int64_t sum = 0;
    while (std::getline(in, line) && taken.why.empty()) {
        const auto fields = fields_of(line);
        taken.why = fields[0] != "D" ? "is no line D" : check_line(fields, sum, taken.values);
        ++taken.lines;
        if (!taken.why.empty()) taken.why = "line " + std::to_string(taken.lines + 1) + " " + taken.why;
    }
    if (!taken.why.empty()) return taken;
    const auto hash = security::sha256({reinterpret_cast<const std::uint8_t*>(body.data()), body.size()});
    auto said = trailer.size() == 4 ? trailer[3] : "";
    std::transform(said.begin(), said.end(), said.begin(), [](unsigned char c) { return std::toupper(c); });
    if (trailer.size() != 4 || trailer[1] != std::to_string(taken.lines))
        taken.why = "the trailer counts other lines";
    else if (millionths(trailer[2]) != sum)
        taken.why = "the trailer has another sum";
    else if (said != to_hex(hash))
        taken.why = "the trailer has another SHA-256";
    return taken;
}

}  // namespace

std::vector<FileConsumer::Taken> FileConsumer::take() {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator{directory_})
        if (entry.path().extension() == ".done") names.push_back(entry.path().stem().string());
    std::sort(names.begin(), names.end());
    std::vector<Taken> taken_files;
    for (const auto& name : names) {
        std::ostringstream text;
        text << std::ifstream{directory_ / name, std::ios::binary}.rdbuf();
        auto taken = check(name, text.str());
        const auto answer = directory_ / "ack" / (name + ".ack.csv");
        {
            std::ofstream out{answer.string() + ".part"};
            std::ostringstream refused;
            for (std::int64_t line = 1; refuse_each_ > 0 && line <= taken.lines; ++line)
                if (line % refuse_each_ == 0 && ++taken.refused > 0)
                    refused << line + 1 << ",2.12,no such usage point\n";
            if (!taken.why.empty()) refused << "2,1.8," << taken.why << "\n";
            out << "ack," << name << ","
                << (!taken.why.empty()  ? "refused"
                    : taken.refused > 0 ? "partly"
                                        : "accepted")
                << "\n"
                << refused.str();
        }
        fs::rename(answer.string() + ".part", answer);
        fs::remove(directory_ / (name + ".done"));
        taken_files.push_back(std::move(taken));
    }
    return taken_files;
}

}  // namespace wattmesh::sim
