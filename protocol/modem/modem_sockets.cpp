#include <algorithm>
#include <utility>

#include "protocol/modem/modem.h"

namespace wattmesh::modem {
namespace {

constexpr std::size_t send_size_max = 1'460;
constexpr int opens_failed_max = 3, receive_size_max = 65'535;
constexpr Duration close_timeout = std::chrono::seconds{15};

/// What can stand in a quoted string parameter.
bool quotable(std::string_view text) {
    return std::all_of(text.begin(), text.end(),
                       [](char c) { return c >= ' ' && c <= '~' && c != '"' && c != '\\'; });
}

std::optional<SocketId> socket_in(const std::optional<int>& number, SocketId end) {
    if (!number || *number < 0 || *number >= end) return std::nullopt;
    return static_cast<SocketId>(*number);
}

}  // namespace

std::optional<SocketId> Modem::open(const std::string& host, std::uint16_t port, const Instant& now) {
    if (state_ != ModemState::ready || !quotable(host)) return std::nullopt;
    for (SocketId id = 0; id < sockets_max; ++id) {
        if (sockets_.contains(id) || told_of(id)) continue;
        sockets_[id].asked = now;
        Command command{.step = Step::open,
                        .text = "AT+QIOPEN=1," + std::to_string(id) + ",\"TCP\",\"" + host + "\"," +
                                std::to_string(port) + ",0,1",
                        .timeout = settings_.answer_timeout,
                        .socket = id};
        commands_.push_back(std::move(command));
        write_next(now);
        return id;
    }
    return std::nullopt;
}

/// Whether the owner has not yet heard all of an earlier connection with this number.
bool Modem::told_of(SocketId id) const {
    return std::any_of(actions_.begin(), actions_.end(), [&](const ModemAction& action) {
        if (const auto* opened = std::get_if<SocketOpened>(&action)) return opened->socket == id;
        if (const auto* received = std::get_if<SocketReceived>(&action)) return received->socket == id;
        const auto* closed = std::get_if<SocketClosed>(&action);
        return closed != nullptr && closed->socket == id;
    });
}

void Modem::send(SocketId socket, Bytes bytes, const Instant& now) {
    const auto found = sockets_.find(socket);
    if (found == sockets_.end()) return;
    found->second.waiting.insert(found->second.waiting.end(), bytes.begin(), bytes.end());
    flush(socket);
    write_next(now);
}

std::size_t Modem::queued(SocketId socket) const {
    const auto found = sockets_.find(socket);
    if (found == sockets_.end()) return 0;
    return found->second.waiting.size() + (found->second.sending ? 1 : 0);
}

/// One command at a time for each socket, as many octets as it takes.
void Modem::flush(SocketId id) {
    auto& socket = sockets_.at(id);
    if (!socket.open || socket.sending || socket.waiting.empty()) return;
    const auto size = std::min(socket.waiting.size(), send_size_max);
    const auto end = socket.waiting.begin() + static_cast<std::ptrdiff_t>(size);
    Command command{.step = Step::send,
                    .text = "AT+QISEND=" + std::to_string(id) + "," + std::to_string(size),
                    .timeout = settings_.answer_timeout,
                    .socket = id,
                    .data = Buffer(socket.waiting.begin(), end)};
    socket.waiting.erase(socket.waiting.begin(), end);
    socket.sending = true;
    commands_.push_back(std::move(command));
}

void Modem::close(SocketId socket, const Instant& now) {
    if (sockets_.erase(socket) == 0) return;
    hang_up(socket);
    write_next(now);
}

void Modem::on_sent(SocketId socket, bool sent) {
    const auto found = sockets_.find(socket);
    if (found == sockets_.end()) return;
    found->second.sending = false;
    if (sent) return flush(socket);
    hang_up(socket);
    end_socket(socket, "the modem did not send");
}

/// The modem's side of it; commands that wait for this socket are none any more.
void Modem::hang_up(SocketId socket) {
    std::erase_if(commands_, [&](const Command& command) {
        return command.socket == socket && (command.step == Step::send || command.step == Step::open);
    });
    command(Step::tidy, "AT+QICLOSE=" + std::to_string(socket), close_timeout);
}

void Modem::end_socket(SocketId socket, const std::string& reason) {
    if (sockets_.erase(socket) > 0) actions_.emplace_back(SocketClosed{socket, reason});
}

void Modem::count_open_failure(const Instant& now) {
    if (++opens_failed_ < opens_failed_max) return;
    opens_failed_ = 0;
    fail(ModemState::attaching, "no connection comes about any more", now);
}

/// +QIOPEN: <id>,<error>; +QIURC: "recv",<id>,<size> with the octets behind it, "closed",<id>,
/// "pdpdeact",<context>.
void Modem::on_socket_line(const std::string& line, const Instant& now) {
    const auto fields = at_parameters(line);
    const auto number = [&](std::size_t at) {
        return at < fields.size() ? at_number(fields[at]) : std::nullopt;
    };
    if (line.starts_with("+QIOPEN:")) {
        const auto socket = socket_in(number(0), sockets_max);
        const auto error = number(1);
        if (socket && error) on_opened(*socket, *error, now);
        return;
    }
    if (fields.empty()) return;
    if (fields[0] == "pdpdeact") return fail(ModemState::attaching, "the network ended our context", now);
    const auto socket = socket_in(number(1), sockets_max);
    if (!socket) return;
    if (fields[0] == "closed") {
        hang_up(*socket);
        return end_socket(*socket, "closed by the other end");
    }
    const auto size = number(2);
    if (fields[0] != "recv" || !size || *size <= 0 || *size > receive_size_max) return;
    raw_socket_ = *socket;
    reader_.raw(static_cast<std::size_t>(*size));
}

void Modem::on_opened(SocketId socket, int error, const Instant& now) {
    const auto found = sockets_.find(socket);
    if (found == sockets_.end() || found->second.open) return;
    if (error == 0) {
        found->second.open = true;
        failures_ = opens_failed_ = 0;
        actions_.emplace_back(SocketOpened{socket});
        return flush(socket);
    }
    hang_up(socket);  // Quectel keeps the number taken until it is closed
    end_socket(socket, "the modem says error " + std::to_string(error));
    count_open_failure(now);
}

}  // namespace wattmesh::modem
