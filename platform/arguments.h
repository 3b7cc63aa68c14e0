#pragma once
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

#include "platform/settings.h"

namespace wattmesh::platform {

/// A command line that does not parse; says what to write instead.
struct UsageError : std::runtime_error {
    using std::runtime_error::runtime_error;
};

/// A command line: words, and options `--key value` or `--key=value`; a flag (`--check`) takes no value and
/// reads as "true". `--` ends the options.
class Arguments {
public:
    /// `options` are the keys that take a value, `flags` those that take none (without dashes). Throws
    /// UsageError.
    Arguments(int argc, const char* const* argv, const std::vector<std::string>& options,
              const std::vector<std::string>& flags = {});

    const std::vector<std::string>& words() const { return words_; }
    bool has(const std::string& key) const { return values_.count(key) != 0; }
    /// The options as settings, above those of the file given by `--config` if there is one.
    Settings settings() const;

private:
    std::vector<std::string> words_;
    std::map<std::string, std::string> values_;
};

}  // namespace wattmesh::platform
