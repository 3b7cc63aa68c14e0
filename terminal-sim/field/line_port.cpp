#include "terminal-sim/field/line_port.h"

namespace wattmesh::sim {

struct LinePort::Connection {
    std::unique_ptr<platform::Link> link;
    std::string line;
};

LinePort::LinePort(platform::Loop& loop, std::function<std::string(std::string_view)> answer,
                   const std::string& address, std::uint16_t port)
    : answer_(std::move(answer)), acceptor_(loop, {.address = address, .port = port, .tls = {}}) {
    acceptor_.start([this](std::unique_ptr<platform::Link> link) { take(std::move(link)); },
                    [](const auto&, const auto&) {});
}

LinePort::~LinePort() = default;

void LinePort::take(std::unique_ptr<platform::Link> link) {
    if (connections_.size() >= connections_max) return;
    const int id = next_++;
    auto& connection = connections_[id] = std::make_unique<Connection>();
    connection->link = std::move(link);
    connection->link->start({[this, id](Bytes bytes) { receive(id, bytes); },
                             [this, id](const std::string&) { connections_.erase(id); }});
}

void LinePort::receive(int id, Bytes bytes) {
    Connection& connection = *connections_.at(id);
    for (const std::uint8_t octet : bytes) {
        if (octet != '\n') {
            if (connection.line.size() >= line_size_max) return connection.link->close();
            if (octet != '\r') connection.line += static_cast<char>(octet);
            continue;
        }
        const std::string answer = answer_(connection.line) + "\n";
        connection.line.clear();
        if (!connection.link->send(as_bytes(answer))) return connection.link->close();
    }
}

}  // namespace wattmesh::sim
