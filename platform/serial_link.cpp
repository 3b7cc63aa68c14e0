#include "platform/serial_link.h"

#include <fcntl.h>
#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/write.hpp>
#include <cerrno>
#include <cstring>
#include <utility>

#include "platform/loop_impl.h"

namespace wattmesh::platform {

namespace asio = boost::asio;
using boost::system::error_code;

namespace {

struct Rate {
    std::uint32_t baud;
    speed_t speed;
};
constexpr Rate rates[]{{300, B300},      {600, B600},       {1'200, B1200},   {2'400, B2400},
                       {4'800, B4800},   {9'600, B9600},    {19'200, B19200}, {38'400, B38400},
                       {57'600, B57600}, {115'200, B115200}};

speed_t speed_of(const SerialSettings& settings) {
    for (const auto& rate : rates)
        if (rate.baud == settings.baud) return rate.speed;
    throw SettingsError(settings.device + ": " + std::to_string(settings.baud) + " baud is no rate of it");
}

int open_port(const SerialSettings& settings) {
    const speed_t speed = speed_of(settings);
    const int port = ::open(settings.device.c_str(), O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
    if (port < 0) throw SettingsError(settings.device + ": cannot be opened: " + std::strerror(errno));
    termios line{};
    if (::tcgetattr(port, &line) != 0) {
        ::close(port);
        throw SettingsError(settings.device + ": is no serial port");
    }
    ::cfmakeraw(&line);
    ::cfsetspeed(&line, speed);
    line.c_cflag |= CLOCAL | CREAD;
    line.c_cflag &= ~static_cast<tcflag_t>(CRTSCTS | CSTOPB | PARENB | PARODD);
    if (settings.stop_bits == 2) line.c_cflag |= CSTOPB;
    if (settings.parity != Parity::none) line.c_cflag |= PARENB;
    if (settings.parity == Parity::odd) line.c_cflag |= PARODD;
    if (::tcsetattr(port, TCSANOW, &line) != 0) {
        const std::string why = std::strerror(errno);
        ::close(port);
        throw SettingsError(settings.device + ": does not take its settings: " + why);
    }
    ::tcflush(port, TCIOFLUSH);
    return port;
}

}  // namespace

struct SerialLink::Core : std::enable_shared_from_this<Core> {
    Core(Loop& loop, const SerialSettings& settings, std::size_t queue_max)
        : port(loop.impl().io, open_port(settings)), write_queue_max(queue_max), name(settings.device) {}

    void read() {
        if (over || paused || waiting || !events.on_bytes) return;
        waiting = true;
        port.async_read_some(asio::buffer(octets),
                             [self = shared_from_this()](const error_code& error, std::size_t count) {
                                 self->waiting = false;
                                 if (self->over) return;
                                 if (error) return self->end(error.message());
                                 self->deliver(count);
                                 self->read();
                             });
    }
    void deliver(std::size_t count) {
        const auto on_bytes = events.on_bytes;  // a copy: the owner may destroy the link meanwhile
        try {
            on_bytes(Bytes{octets}.first(count));
        } catch (const std::exception& failure) {
            end(std::string{"the link's owner failed: "} + failure.what());
        }
    }
    void write() {
        if (over || !writing.empty()) return;
        if (pending.empty()) return closing ? end("closed here") : void();
        writing = std::exchange(pending, {});
        asio::async_write(port, asio::buffer(writing),
                          [self = shared_from_this()](const error_code& error, std::size_t) {
                              self->writing.clear();
                              if (self->over) return;
                              if (error) return self->end(error.message());
                              self->write();
                          });
    }
    void cut() {
        over = true;
        error_code ignored;
        port.close(ignored);
    }
    void end(const std::string& reason) {
        if (over) return;
        cut();
        const auto on_closed = std::exchange(events, {}).on_closed;
        if (on_closed) on_closed(reason);
    }
    std::size_t room() const {
        return write_queue_max - std::min(write_queue_max, pending.size() + writing.size());
    }

    asio::posix::stream_descriptor port;
    const std::size_t write_queue_max;
    const std::string name;
    LinkEvents events;
    std::array<std::uint8_t, 1'024> octets{};
    Buffer pending, writing;
    bool paused = false, waiting = false, closing = false, over = false;
};

SerialLink::SerialLink(Loop& loop, const SerialSettings& settings, std::size_t write_queue_max)
    : core_(std::make_shared<Core>(loop, settings, write_queue_max)) {}

SerialLink::~SerialLink() {
    core_->events = {};
    core_->cut();
}

void SerialLink::start(LinkEvents events) {
    core_->events = std::move(events);
    core_->read();
}
bool SerialLink::send(Bytes bytes) {
    if (core_->over || core_->closing || bytes.size() > core_->room()) return false;
    core_->pending.insert(core_->pending.end(), bytes.begin(), bytes.end());
    core_->write();
    return true;
}
void SerialLink::close() {
    if (std::exchange(core_->closing, true)) return;
    asio::post(core_->port.get_executor(), [core = core_] { core->write(); });
}
void SerialLink::pause(bool paused) {
    core_->paused = paused;
    core_->read();
}
std::size_t SerialLink::room() const { return core_->room(); }
const std::string& SerialLink::peer_address() const { return core_->name; }
const std::optional<security::CertificateFacts>& SerialLink::peer() const {
    static const std::optional<security::CertificateFacts> none;
    return none;
}
const std::string& SerialLink::protocol() const {
    static const std::string none;
    return none;
}

}  // namespace wattmesh::platform
