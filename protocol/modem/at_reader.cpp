#include "protocol/modem/at_reader.h"

#include <algorithm>
#include <charconv>
#include <utility>

namespace wattmesh::modem {
namespace {

constexpr std::size_t parameters_max = 16;

}  // namespace

std::optional<AtItem> AtReader::next() {
    std::size_t at = 0;
    std::optional<AtItem> item;
    if (raw_ > 0 && !waiting_.empty()) {
        at = std::min(raw_, waiting_.size());
        raw_ -= at;
        item = AtData{Buffer(waiting_.begin(), waiting_.begin() + static_cast<std::ptrdiff_t>(at))};
    }
    for (; !item && raw_ == 0 && at < waiting_.size(); ++at) {
        const auto octet = waiting_[at];
        if (octet == '\r' || octet == '\n') {
            if (std::exchange(garbled_, false))
                ++dropped_;
            else if (!line_.empty())
                item = AtLine{line_};
            line_.clear();
            // The data of a line begins right behind its line feed.
            if (item && octet == '\r') {
                if (at + 1 == waiting_.size()) {  // not there yet: look at the whole line again then
                    line_ = std::get<AtLine>(*item).text;
                    item.reset();
                    break;
                }
                if (waiting_[at + 1] == '\n') ++at;
            }
            continue;
        }
        if (octet < ' ' || octet > '~' || line_.size() == line_size_max) {
            garbled_ = true;
            continue;
        }
        line_.push_back(static_cast<char>(octet));
        if (line_ == "> " && !garbled_) {
            line_.clear();
            item = AtPrompt{};
        }
    }
    waiting_.erase(waiting_.begin(), waiting_.begin() + static_cast<std::ptrdiff_t>(at));
    return item;
}

std::vector<std::string> at_parameters(std::string_view line) {
    std::vector<std::string> out;
    const auto colon = line.find(':');
    if (colon == std::string_view::npos) return out;
    std::string field;
    bool quoted = false, any = false;
    for (const char c : line.substr(colon + 1)) {
        if (c == '"') {
            quoted = !quoted;
            any = true;
        } else if (c == ',' && !quoted) {
            out.push_back(std::exchange(field, {}));
            any = true;
        } else if (c != ' ' || quoted || !field.empty()) {
            field.push_back(c);
            any = true;
        }
    }
    if (any) out.push_back(field);
    if (out.size() > parameters_max) out.resize(parameters_max);
    return out;
}

std::optional<int> at_number(std::string_view text) {
    int value = 0;
    const auto end = text.data() + text.size();
    const auto [read, error] = std::from_chars(text.data(), end, value);
    if (error != std::errc{} || read != end || text.empty()) return std::nullopt;
    return value;
}

}  // namespace wattmesh::modem
