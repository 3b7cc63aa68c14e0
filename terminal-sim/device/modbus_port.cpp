#include "terminal-sim/device/modbus_port.h"

#include "platform/log.h"

namespace wattmesh::sim {
namespace {

const platform::Log& log() {
    static const platform::Log source{"device.modbus"};
    return source;
}

}  // namespace

struct ModbusPort::Connection {
    Connection(platform::Loop& loop, std::unique_ptr<platform::Link> over)
        : idle(loop), link(std::move(over)) {}
    modbus::TcpDecoder decoder;
    platform::Timer idle;
    std::unique_ptr<platform::Link> link;
};

ModbusPort::ModbusPort(platform::Loop& loop, const std::string& address, std::uint16_t port, Units units)
    : loop_(loop),
      units_(std::move(units)),
      acceptor_(loop, platform::AcceptorSettings{.address = address, .port = port, .tls = {}}) {
    acceptor_.start([this](std::unique_ptr<platform::Link> link) { take(std::move(link)); },
                    [](const std::string& peer, const std::string& reason) {
                        log().warning("refused connection peer={} reason={}", peer, platform::quoted(reason));
                    });
}

ModbusPort::~ModbusPort() = default;

void ModbusPort::take(std::unique_ptr<platform::Link> link) {
    if (connections_.size() >= connections_max) {
        log().warning("refused connection peer={} reason=\"{} connections are open\"", link->peer_address(),
                      connections_max);
        return;
    }
    const int id = next_++;
    auto& connection = *(connections_[id] = std::make_unique<Connection>(loop_, std::move(link)));
    connection.link->start({[this, id](Bytes octets) { receive(id, octets); },
                            [this, id](const std::string& reason) {
                                log().information("closed connection reason={}", platform::quoted(reason));
                                connections_.erase(id);
                            }});
    connection.idle.after_real(idle_real_max, [&connection] { connection.link->close(); });
}

void ModbusPort::receive(int id, Bytes octets) {
    auto& connection = *connections_.at(id);
    connection.decoder.feed(octets);
    while (auto frame = connection.decoder.next()) {
        const auto request = modbus::decode_request(frame->pdu);
        if (!request) {
            const auto code = request.error().fault == Fault::unsupported
                                  ? modbus::ExceptionCode::illegal_function
                                  : modbus::ExceptionCode::illegal_data_value;
            const auto function = static_cast<std::uint8_t>(frame->pdu.at(0) | modbus::exception_bit);
            frame->pdu = {function, static_cast<std::uint8_t>(code)};
        } else {
            const auto unit = units_.find(frame->unit);
            const modbus::Response response =
                unit == units_.end() ? modbus::Exception{modbus::ExceptionCode::gateway_target_no_response}
                                     : unit->second.answer(*request, loop_.now());
            frame->pdu = modbus::encode(response, *request);
        }
        if (!connection.link->send(modbus::encode_tcp(*frame))) return connection.link->close();
    }
    if (connection.decoder.error()) {
        log().warning("closed connection peer={} reason={}", connection.link->peer_address(),
                      to_string(connection.decoder.error()->fault));
        return connection.link->close();
    }
    connection.idle.after_real(idle_real_max, [&connection] { connection.link->close(); });
}

}  // namespace wattmesh::sim
