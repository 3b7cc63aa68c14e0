#include "platform/arguments.h"

#include <algorithm>

namespace wattmesh::platform {

namespace {
bool contains(const std::vector<std::string>& list, const std::string& name) {
    return std::find(list.begin(), list.end(), name) != list.end();
}
std::string all_of(const std::vector<std::string>& options, const std::vector<std::string>& flags) {
    std::string text;
    for (const auto& option : options) text += " --" + option + " VALUE";
    for (const auto& flag : flags) text += " --" + flag;
    return text.empty() ? " none" : text;
}
}  // namespace

Arguments::Arguments(int argc, const char* const* argv, const std::vector<std::string>& options,
                     const std::vector<std::string>& flags) {
    bool options_ended = false;
    for (int i = 1; i < argc; ++i) {
        const std::string argument = argv[i];
        if (options_ended || argument.size() < 3 || argument.compare(0, 2, "--") != 0) {
            if (argument == "--" && !options_ended)
                options_ended = true;
            else
                words_.push_back(argument);
            continue;
        }
        const auto equals = argument.find('=');
        const std::string key = argument.substr(2, equals == std::string::npos ? equals : equals - 2);
        if (contains(flags, key)) {
            if (equals != std::string::npos) throw UsageError("option --" + key + " takes no value");
            values_[key] = "true";
        } else if (contains(options, key)) {
            if (equals == std::string::npos && i + 1 == argc)
                throw UsageError("option --" + key + " needs a value");
            values_[key] = equals == std::string::npos ? argv[++i] : argument.substr(equals + 1);
        } else {
            throw UsageError("unknown option --" + key + "; known:" + all_of(options, flags));
        }
    }
}

Settings Arguments::settings() const {
    auto values = values_;
    const auto config = values.find("config");
    if (config == values.end()) return Settings{values};
    const std::filesystem::path file{config->second};
    values.erase(config);
    return Settings{file, values};
}

}  // namespace wattmesh::platform
