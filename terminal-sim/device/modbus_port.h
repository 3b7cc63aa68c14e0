#pragma once
#include <map>
#include <memory>
#include <string>

#include "platform/acceptor.h"
#include "protocol/modbus/tcp.h"
#include "terminal-sim/device/modbus_meter.h"

namespace wattmesh::sim {

/// A Modbus TCP gateway with meters behind it, by unit. A unit that is not there: gateway target does not
/// respond (exception 11). What is no Modbus ends its connection.
class ModbusPort {
public:
    using Units = std::map<std::uint8_t, ModbusMeter>;
    static constexpr std::size_t connections_max = 32;
    static constexpr std::chrono::seconds idle_real_max{300};

    /// Throws platform::SocketError.
    ModbusPort(platform::Loop& loop, const std::string& address, std::uint16_t port, Units units);
    ~ModbusPort();
    std::uint16_t port() const { return acceptor_.port(); }

private:
    struct Connection;
    void take(std::unique_ptr<platform::Link> link);
    void receive(int id, Bytes octets);

    platform::Loop& loop_;
    Units units_;
    platform::Acceptor acceptor_;
    std::map<int, std::unique_ptr<Connection>> connections_;
    int next_ = 0;
};

}  // namespace wattmesh::sim
