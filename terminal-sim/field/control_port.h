#pragma once
#include <string>

#include "terminal-sim/field/field.h"
#include "terminal-sim/field/line_port.h"

namespace wattmesh::sim {

/// Line commands to a running field, each answered by one line of JSON: `kill NUMBER`, `darken NUMBER`,
/// `revive NUMBER`, `move NUMBER COLLECTOR`, `unplug NUMBER`, `keypad NUMBER LINE`, `status`.
class ControlPort {
public:
    /// `behind` tells how far the field is behind the clock. Throws platform::SocketError.
    ControlPort(platform::Loop& loop, Field& field, std::function<Duration()> behind,
                const std::string& address, std::uint16_t port);
    std::uint16_t port() const { return lines_.port(); }

    /// The answer to one line, without the line's end.
    static std::string answer(Field& field, Duration behind, std::string_view line);

private:
    LinePort lines_;
};

}  // namespace wattmesh::sim
