#pragma once
#include <fmt/format.h>

#include <string>
#include <string_view>

namespace Poco {
class Logger;
}

namespace wattmesh::platform {

/// Sends all logs to stderr, one line each: real UTC time, level, source, text. `level` is one of error,
/// warning, information, debug; throws SettingsError for another word. Call once in main.
void start_log(std::string_view level);

/// Log of one source ("frontend.session"). Text is a verb in the past tense, then key=value; never a secret,
/// and no octets of a peer as they came: control characters are escaped. Thread safe.
///     log.information("opened session concentrator={} from={}", to_string(number), link.peer_address());
class Log {
public:
    explicit Log(const std::string& source);

    template <class... T>
    void error(fmt::format_string<T...> text, T&&... values) const {
        if (wants(Level::error)) write(Level::error, fmt::format(text, std::forward<T>(values)...));
    }
    template <class... T>
    void warning(fmt::format_string<T...> text, T&&... values) const {
        if (wants(Level::warning)) write(Level::warning, fmt::format(text, std::forward<T>(values)...));
    }
    template <class... T>
    void information(fmt::format_string<T...> text, T&&... values) const {
        if (wants(Level::information))
            write(Level::information, fmt::format(text, std::forward<T>(values)...));
    }
    template <class... T>
    void debug(fmt::format_string<T...> text, T&&... values) const {
        if (wants(Level::debug)) write(Level::debug, fmt::format(text, std::forward<T>(values)...));
    }

private:
    enum class Level : std::uint8_t { error, warning, information, debug };
    bool wants(Level level) const;
    void write(Level level, const std::string& text) const;
    Poco::Logger* logger_;
};

/// A value for key=value: in quotes when it holds blanks, quotes or equals signs.
std::string quoted(std::string_view value);

}  // namespace wattmesh::platform
