#include <algorithm>

#include "headend/command_line.h"
#include "headend/roles.h"

namespace wattmesh::headend {

int run_serve(const Words& words) {
    // --role may come several times; everything else is an ordinary option.
    const std::set<std::string> known{"frontend", "monitor", "vending", "exchange", "console"};
    std::set<std::string> roles;
    Words rest;
    for (std::size_t i = 0; i < words.size(); ++i) {
        std::string role;
        if (words[i] == "--role" && i + 1 < words.size()) {
            role = words[++i];
        } else if (words[i].starts_with("--role=")) {
            role = words[i].substr(7);
        } else {
            rest.push_back(words[i]);
            continue;
        }
        if (!known.contains(role))
            throw platform::UsageError("role '" + role +
                                       "' is unknown: frontend, monitor, vending, exchange or console");
        roles.insert(role);
    }
    const bool all = roles.empty();
    if (all) roles = known;
    const auto arguments = parse_words(rest, {});
    if (!arguments.words().empty())
        throw platform::UsageError("'" + arguments.words().front() + "' is not an option of serve");
    const auto raw = arguments.settings();
    auto settings = HeadendSettings::from(raw);
    if (all && !settings.vending.wanted) roles.erase("vending");
    auto clock = clock_from(raw);
    raw.refuse_unknown();
    return serve(std::move(settings), std::move(clock), roles);
}

}  // namespace wattmesh::headend
