#include "headend/exchange/file_answer.h"

#include <sstream>

#include "protocol/base/utf8.h"

namespace wattmesh::headend::exchange {
namespace {

constexpr std::size_t answer_lines_max = 100'000;
constexpr std::size_t code_size_max = 50, text_size_max = 500;  ///< octets that are kept

/// Without the CR that partners write.
bool next_line(std::istream& in, std::string& line) {
    if (!std::getline(in, line)) return false;
    if (!line.empty() && line.back() == '\r') line.pop_back();
    return true;
}

}  // namespace

std::variant<FileAnswer, std::string> parse_answer(const std::string& text) {
    if (!is_utf8(text) || text.find('\0') != std::string::npos) return "it is no text in UTF-8";
    std::istringstream in{text};
    std::string line;
    next_line(in, line);
    const auto last = line.rfind(',');
    const auto said = last == std::string::npos ? "" : line.substr(last + 1);
    if (!line.starts_with("ack,") || last <= 4 ||
        (said != "accepted" && said != "partly" && said != "refused"))
        return "line 1 is not ack,NAME,accepted|partly|refused";
    FileAnswer answer{line.substr(4, last - 4), {}};
    for (int number = 2; next_line(in, line); ++number) {
        if (line.empty()) continue;
        const auto first = line.find(','), second = line.find(',', first + 1);
        const auto digits = line.substr(0, first);
        if (first == std::string::npos || second == std::string::npos || digits.empty() ||
            digits.size() > 7 || digits.find_first_not_of("0123456789") != std::string::npos ||
            std::stoi(digits) < 2)
            return "line " + std::to_string(number) + " is not LINE,CODE,TEXT";
        if (answer.refused.size() == answer_lines_max) return "it refuses more lines than a file may have";
        answer.refused.push_back({std::stoi(digits),
                                  utf8_cut(line.substr(first + 1, second - first - 1), code_size_max),
                                  utf8_cut(line.substr(second + 1), text_size_max)});
    }
    if ((said == "accepted") != answer.refused.empty())
        return said == "accepted" ? "it is accepted and refuses lines" : "it names no line that is refused";
    return answer;
}

}  // namespace wattmesh::headend::exchange
