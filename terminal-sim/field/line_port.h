#pragma once
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "platform/acceptor.h"

namespace wattmesh::sim {

/// Lines of text on TCP, each answered by one line. A line that is too long ends its connection.
class LinePort {
public:
    /// `answer` gets a line without its end and gives one without. Throws platform::SocketError.
    LinePort(platform::Loop& loop, std::function<std::string(std::string_view line)> answer,
             const std::string& address, std::uint16_t port);
    ~LinePort();
    std::uint16_t port() const { return acceptor_.port(); }

    static constexpr std::size_t line_size_max = 256, connections_max = 16;

private:
    struct Connection;
    void take(std::unique_ptr<platform::Link> link);
    void receive(int id, Bytes bytes);

    std::function<std::string(std::string_view)> answer_;
    platform::Acceptor acceptor_;
    std::map<int, std::unique_ptr<Connection>> connections_;
    int next_ = 0;
};

}  // namespace wattmesh::sim
