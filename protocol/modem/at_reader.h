#pragma once
#include <optional>
#include <string>
#include <variant>

#include "protocol/base/bytes.h"

namespace wattmesh::modem {

/// A result or unsolicited line, without its end; printable ASCII, not empty.
struct AtLine {
    std::string text;
    friend bool operator==(const AtLine&, const AtLine&) = default;
};
/// "> ": the modem waits for the octets that a command announced.
struct AtPrompt {
    friend bool operator==(const AtPrompt&, const AtPrompt&) = default;
};
/// Some of the octets that raw() announced.
struct AtData {
    Buffer bytes;
    friend bool operator==(const AtData&, const AtData&) = default;
};
using AtItem = std::variant<AtLine, AtPrompt, AtData>;

/// Takes a modem's octets apart (3GPP TS 27.007, 4: <CR><LF>text<CR><LF>; ITU-T V.250, 5.7). Lines that are
/// too long or hold what no modem writes are dropped whole and counted: a line that shares the wire with
/// noise is not believed.
class AtReader {
public:
    static constexpr std::size_t line_size_max = 512;

    void feed(Bytes bytes) { waiting_.insert(waiting_.end(), bytes.begin(), bytes.end()); }
    /// Nothing: needs more octets.
    std::optional<AtItem> next();
    /// The next `count` octets after the item just taken are data.
    void raw(std::size_t count) { raw_ = count; }
    std::uint64_t dropped() const { return dropped_; }

private:
    Buffer waiting_;
    std::string line_;
    bool garbled_ = false;
    std::size_t raw_ = 0;
    std::uint64_t dropped_ = 0;
};

/// The parameters of "+NAME: a,"b c",d" after the colon, quotes taken off. At most sixteen.
std::vector<std::string> at_parameters(std::string_view line);
/// A decimal number, whole; nothing otherwise.
std::optional<int> at_number(std::string_view text);

}  // namespace wattmesh::modem
