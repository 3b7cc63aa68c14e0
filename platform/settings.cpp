#include "platform/settings.h"

#include <Poco/AutoPtr.h>
#include <Poco/Exception.h>
#include <Poco/Util/PropertyFileConfiguration.h>
#include <fmt/format.h>

#include <charconv>
#include <optional>
#include <type_traits>

namespace wattmesh::platform {

namespace {

void collect(const Poco::Util::AbstractConfiguration& from, const std::string& prefix,
             std::map<std::string, std::string>& into) {
    Poco::Util::AbstractConfiguration::Keys keys;
    from.keys(prefix, keys);
    for (const auto& key : keys) {
        const std::string whole = prefix.empty() ? key : prefix + "." + key;
        if (from.hasProperty(whole)) into[whole] = from.getRawString(whole);
        collect(from, whole, into);
    }
}

template <class T>
constexpr const char* expected() {
    if constexpr (std::is_same_v<T, bool>)
        return "true or false";
    else if constexpr (std::is_integral_v<T>)
        return "a whole number";
    else if constexpr (std::is_floating_point_v<T>)
        return "a number";
    else if constexpr (std::is_same_v<T, HostPort>)
        return "host:port";
    else
        return "a text that is not empty";
}

std::optional<HostPort> parse_host_port(const std::string& text) {
    const auto colon = text.rfind(':');
    if (colon == std::string::npos || colon == 0) return std::nullopt;
    std::string host = text.substr(0, colon);
    if (host.front() == '[' && host.back() == ']')
        host = host.substr(1, host.size() - 2);
    else if (host.find(':') != std::string::npos)
        return std::nullopt;
    std::uint16_t port = 0;
    const char* end = text.data() + text.size();
    const auto [stop, fault] = std::from_chars(text.data() + colon + 1, end, port);
    if (fault != std::errc{} || stop != end || host.empty()) return std::nullopt;
    return HostPort{host, port};
}

template <class T>
std::optional<T> parse(const std::string& text) {
    if constexpr (std::is_same_v<T, bool>) {
        if (text == "true") return true;
        if (text == "false") return false;
        return std::nullopt;
    } else if constexpr (std::is_arithmetic_v<T>) {
        T value{};
        const char* end = text.data() + text.size();
        const auto [stop, fault] = std::from_chars(text.data(), end, value);
        if (fault != std::errc{} || stop != end) return std::nullopt;
        return value;
    } else if constexpr (std::is_same_v<T, HostPort>) {
        return parse_host_port(text);
    } else {
        if (text.empty()) return std::nullopt;
        return T{text};
    }
}

}  // namespace

Settings::Settings(std::map<std::string, std::string> overrides) : values_(std::move(overrides)) {
    for (const auto& [key, value] : values_) overridden_.insert(key);
}

Settings::Settings(const std::filesystem::path& file, std::map<std::string, std::string> overrides)
    : Settings(std::move(overrides)) {
    file_ = file.string();
    std::map<std::string, std::string> read;
    // POCO reads a folder for ever: its stream never ends and never fails.
    if (std::filesystem::is_directory(file))
        throw SettingsError(fmt::format("cannot read the settings file {}: it is a folder", file_));
    try {
        const Poco::AutoPtr<Poco::Util::PropertyFileConfiguration> properties{
            new Poco::Util::PropertyFileConfiguration(file_)};
        collect(*properties, "", read);
    } catch (const Poco::Exception& failure) {
        throw SettingsError(
            fmt::format("cannot read the settings file {}: {}", file_, failure.displayText()));
    }
    values_.merge(read);  // what the command line says stays
}

const std::string* Settings::find(const std::string& key) const {
    asked_.insert(key);
    const auto at = values_.find(key);
    return at == values_.end() ? nullptr : &at->second;
}

std::string Settings::origin_of(const std::string& key) const {
    return overridden_.count(key) != 0 || file_.empty() ? "on the command line" : "in " + file_;
}

bool Settings::has(const std::string& key) const { return find(key) != nullptr; }

template <class T>
T Settings::required(const std::string& key) const {
    const std::string* text = find(key);
    if (text == nullptr) {
        throw SettingsError(
            file_.empty()
                ? fmt::format("missing --{}: it needs {}", key, expected<T>())
                : fmt::format("missing setting \"{}\" in {}: it needs {} (or --{} on the command line)", key,
                              file_, expected<T>(), key));
    }
    const auto value = parse<T>(*text);
    if (!value) {
        throw SettingsError(fmt::format("setting \"{}\" {} is \"{}\": it needs {}", key, origin_of(key),
                                        *text, expected<T>()));
    }
    return *value;
}

template <class T>
T Settings::optional(const std::string& key, T fallback) const {
    return has(key) ? required<T>(key) : fallback;
}

template <class T>
T Settings::required_in(const std::string& key, T low, T high) const {
    const T value = required<T>(key);
    if (value < low || value > high) {
        throw SettingsError(fmt::format("setting \"{}\" {} is {}: it must be from {} to {}", key,
                                        origin_of(key), value, low, high));
    }
    return value;
}

template <class T>
T Settings::optional_in(const std::string& key, T fallback, T low, T high) const {
    return has(key) ? required_in<T>(key, low, high) : fallback;
}

void Settings::refuse_unknown() const {
    for (const auto& [key, value] : values_) {
        if (asked_.count(key) == 0)
            throw SettingsError(fmt::format("unknown setting \"{}\" {}", key, origin_of(key)));
    }
}

template bool Settings::required(const std::string&) const;
template std::string Settings::required(const std::string&) const;
template std::filesystem::path Settings::required(const std::string&) const;
template HostPort Settings::required(const std::string&) const;
template bool Settings::optional(const std::string&, bool) const;
template std::string Settings::optional(const std::string&, std::string) const;
template std::filesystem::path Settings::optional(const std::string&, std::filesystem::path) const;
template HostPort Settings::optional(const std::string&, HostPort) const;

#define WATTMESH_NUMERIC_SETTING(T)                                   \
    template T Settings::required(const std::string&) const;          \
    template T Settings::optional(const std::string&, T) const;       \
    template T Settings::required_in(const std::string&, T, T) const; \
    template T Settings::optional_in(const std::string&, T, T, T) const;
WATTMESH_NUMERIC_SETTING(int)
WATTMESH_NUMERIC_SETTING(std::int64_t)
WATTMESH_NUMERIC_SETTING(std::uint16_t)
WATTMESH_NUMERIC_SETTING(std::uint32_t)
WATTMESH_NUMERIC_SETTING(double)

}  // namespace wattmesh::platform
