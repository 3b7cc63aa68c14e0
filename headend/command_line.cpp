#include "headend/command_line.h"

#include <unistd.h>

#include <cstdlib>

namespace wattmesh::headend {

platform::Arguments parse_words(const Words& words, std::vector<std::string> options,
                                const std::vector<std::string>& flags) {
    options.insert(options.end(), common_options.begin(), common_options.end());
    std::vector<const char*> argv{"headend"};
    for (const auto& word : words) argv.push_back(word.c_str());
    return platform::Arguments{static_cast<int>(argv.size()), argv.data(), options, flags};
}

std::string only_word(const platform::Arguments& arguments, const std::string& what) {
    if (arguments.words().size() != 1) throw platform::UsageError("say " + what + ", and nothing else");
    return arguments.words().front();
}

DeviceNumber number_from(const std::string& word) {
    const auto number = DeviceNumber::parse(word);
    if (!number) throw platform::UsageError("'" + word + "' is not a device number: twelve decimal digits");
    return *number;
}

std::string actor() {
    const char* user = std::getenv("USER");  // NOLINT(concurrency-mt-unsafe): one thread
    return std::string{"headend command of "} + (user != nullptr ? user : "uid " + std::to_string(getuid()));
}

Desk::Desk(const platform::Arguments& arguments)
    : raw(arguments.settings()),
      settings(HeadendSettings::from(raw)),
      clock(clock_from(raw)),
      connection(settings.database.as("wm_owner")) {}

}  // namespace wattmesh::headend
