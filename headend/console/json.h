#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "protocol/base/id.h"
#include "protocol/base/obis.h"
#include "protocol/base/time.h"

namespace wattmesh::headend::console {

/// Writes one JSON document front to back (RFC 8259). Nesting is the caller's: every open has its close.
class Json {
public:
    Json& open_object() { return begin('{'); }
    Json& close_object() { return end('}'); }
    Json& open_array() { return begin('['); }
    Json& close_array() { return end(']'); }
    Json& key(std::string_view name);

    Json& value(std::string_view text);
    Json& value(const char* text) { return value(std::string_view{text}); }
    Json& value(const std::string& text) { return value(std::string_view{text}); }
    Json& value(bool yes);
    Json& value(std::int64_t number);
    Json& value(int number) { return value(std::int64_t{number}); }
    Json& value(double number);  ///< not finite: null
    Json& value(Instant at);     ///< ISO 8601, UTC, whole milliseconds
    Json& value(const DeviceNumber& number) { return value(to_string(number)); }
    Json& value(const ObisCode& code) { return value(to_string(code)); }
    Json& null();
    template <class T>
    Json& value(const std::optional<T>& maybe) {
        return maybe ? value(*maybe) : null();
    }
    template <class T>
    Json& field(std::string_view name, const T& content) {
        return key(name).value(content);
    }
    /// A document that was written before.
    Json& raw(std::string_view document);

    const std::string& text() const { return text_; }
    std::string take() { return std::move(text_); }

private:
    Json& begin(char bracket);
    Json& end(char bracket);
    void separate();
    void quote(std::string_view text);

    std::string text_;
    bool first_ = true;
};

/// "2026-11-22T14:15:00.000Z".
std::string iso(Instant at);
/// Reads the same with or without fraction; also "+hh:mm" for "Z". Nothing when it is not such an instant in
/// 1970..2200.
std::optional<Instant> parse_iso(std::string_view text);
/// "2026-11-22".
std::string iso_day(std::chrono::sys_days day);
std::optional<std::chrono::sys_days> parse_day(std::string_view text);

}  // namespace wattmesh::headend::console
