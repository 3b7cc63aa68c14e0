#pragma once
#include <filesystem>
#include <map>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>

namespace wattmesh::platform {

/// A setting that is missing or wrong: names the key, the value where it helps, and the file.
struct SettingsError : std::runtime_error {
    using std::runtime_error::runtime_error;
};

/// A host (name or address) and a TCP port, written host:port, [v6]:port.
struct HostPort {
    std::string host;
    std::uint16_t port = 0;
    friend bool operator==(const HostPort&, const HostPort&) = default;
};

/// Key-value settings of a program: a Java-style properties file, and the command line's values above it.
/// Each program reads its keys once into a checked struct. T is one of bool, int, std::int64_t,
/// std::uint16_t, std::uint32_t, double, std::string, std::filesystem::path, HostPort.
class Settings {
public:
    /// Without a file: overrides only.
    explicit Settings(std::map<std::string, std::string> overrides = {});
    /// Throws SettingsError when the file cannot be read.
    explicit Settings(const std::filesystem::path& file, std::map<std::string, std::string> overrides = {});

    template <class T>
    T required(const std::string& key) const;
    template <class T>
    T optional(const std::string& key, T fallback) const;
    /// Also checks the range.
    template <class T>
    T required_in(const std::string& key, T low, T high) const;
    template <class T>
    T optional_in(const std::string& key, T fallback, T low, T high) const;
    bool has(const std::string& key) const;

    /// Throws for keys that nobody asked for: most are mistyped. Call when everything has been read.
    void refuse_unknown() const;

private:
    const std::string* find(const std::string& key) const;
    std::string origin_of(const std::string& key) const;

    std::map<std::string, std::string> values_;
    std::set<std::string> overridden_;
    std::string file_;
    mutable std::set<std::string> asked_;
};

}  // namespace wattmesh::platform
