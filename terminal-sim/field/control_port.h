#pragma once
#include <map>
#include <memory>
#include <string>

#include "platform/acceptor.h"
#include "terminal-sim/field/field.h"

namespace wattmesh::sim {

/// Line commands to a running field, each answered by one line of JSON: `kill NUMBER`, `revive NUMBER`,
/// `status`.
class ControlPort {
public:
    /// `behind` tells how far the field is behind the clock. Throws platform::SocketError.
    ControlPort(platform::Loop& loop, Field& field, std::function<Duration()> behind,
                const std::string& address, std::uint16_t port);
    ~ControlPort();
    std::uint16_t port() const { return acceptor_.port(); }

    /// The answer to one line, without the line's end.
    static std::string answer(Field& field, Duration behind, std::string_view line);

    static constexpr std::size_t line_size_max = 256, connections_max = 16;

private:
    struct Connection;
    void take(std::unique_ptr<platform::Link> link);
    void receive(int id, Bytes bytes);

    Field& field_;
    std::function<Duration()> behind_;
    platform::Acceptor acceptor_;
    std::map<int, std::unique_ptr<Connection>> connections_;
    int next_ = 0;
};

}  // namespace wattmesh::sim
