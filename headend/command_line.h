#pragma once
#include <string>
#include <vector>

#include "headend/commands.h"
#include "headend/settings.h"

namespace wattmesh::headend {

/// Parses a subcommand's words with the common options.
platform::Arguments parse_words(const Words& words, std::vector<std::string> options,
                                const std::vector<std::string>& flags = {});
/// The one word a subcommand is about; a UsageError names what is missing.
std::string only_word(const platform::Arguments& arguments, const std::string& what);
DeviceNumber number_from(const std::string& word);
/// Who runs the command, for the audit log.
std::string actor();
/// Settings and clock of an administrative subcommand.
struct Desk {
    explicit Desk(const platform::Arguments& arguments);
    platform::Settings raw;
    HeadendSettings settings;
    std::shared_ptr<const platform::Clock> clock;
    database::Connection connection;  ///< as wm_owner
};

}  // namespace wattmesh::headend
