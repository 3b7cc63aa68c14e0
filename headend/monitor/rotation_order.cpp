#include "headend/monitor/rotation_order.h"

#include <algorithm>

namespace wattmesh::headend::monitor {

std::string_view to_string(dlms::KeyKind kind) {
    switch (kind) {
        case dlms::KeyKind::unicast_encryption:
            return "encryption";
        case dlms::KeyKind::broadcast_encryption:
            return "broadcast";
        case dlms::KeyKind::authentication:
            return "authentication";
        case dlms::KeyKind::master:
            return "master";
    }
    return "?";
}

std::optional<std::vector<dlms::KeyKind>> key_kinds(std::string_view words) {
    using dlms::KeyKind;
    constexpr KeyKind all[] = {KeyKind::unicast_encryption, KeyKind::authentication,
                               KeyKind::broadcast_encryption, KeyKind::master};
    std::vector<KeyKind> kinds;
    while (!words.empty()) {
        const auto comma = words.find(',');
        const auto word = words.substr(0, comma);
        words = comma == std::string_view::npos ? std::string_view{} : words.substr(comma + 1);
        const auto* found = std::ranges::find_if(all, [&](KeyKind kind) { return to_string(kind) == word; });
        if (found == std::end(all) || std::ranges::find(kinds, *found) != kinds.end()) return std::nullopt;
        kinds.push_back(*found);
    }
    if (kinds.empty()) return std::nullopt;
    return kinds;
}

std::string to_string(const std::vector<dlms::KeyKind>& kinds) {
    std::string words;
    for (const auto kind : kinds) words += (words.empty() ? "" : ",") + std::string{to_string(kind)};
    return words;
}

}  // namespace wattmesh::headend::monitor
