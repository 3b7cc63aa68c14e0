#include "platform/cellular.h"

#include <fstream>
#include <map>
#include <utility>

#include "platform/log.h"
#include "platform/steady.h"

namespace wattmesh::platform {
namespace {

constexpr std::chrono::milliseconds reset_pulse{500};
constexpr std::chrono::seconds port_again{10};
constexpr std::size_t held_max = 1 << 20;

}  // namespace

/// One connection: what its link and the modem's core share.
struct Cellular::Socket {
    modem::SocketId id = 0;
    std::string address;
    Dialled dialled;
    LinkEvents events;
    Buffer held;  ///< while paused
    bool started = false, closing = false, paused = false, over = false;

    void deliver(Bytes bytes) {
        held.insert(held.end(), bytes.begin(), bytes.end());
        if (paused || !started || over || held.empty()) return;
        const auto on_bytes = events.on_bytes;  // the owner may destroy the link meanwhile
        const Buffer now = std::exchange(held, {});
        if (on_bytes) on_bytes(now);
    }
    void end(const std::string& reason) {
        if (std::exchange(over, true)) return;
        const auto on_closed = std::exchange(events, {}).on_closed;
        if (on_closed) on_closed(reason);
    }
};

struct Cellular::Core : std::enable_shared_from_this<Core> {
    Core(Loop& on, CellularSettings with)
        : loop(on),
          settings(std::move(with)),
          modem(settings.modem),
          timer(on),
          port_timer(on),
          reset_timer(on) {}

    void open_port() {
        try {
            port = std::make_unique<SerialLink>(loop, settings.serial);
        } catch (const SettingsError& error) {
            log.warning("found no modem reason={}", platform::quoted(error.what()));
            return port_timer.after_real(port_again, [this] { open_port(); });
        }
        port->start({.on_bytes =
                         [this](Bytes bytes) {
                             modem.receive(bytes, steady_now());
                             pump();
                         },
                     .on_closed =
                         [this](const std::string& reason) {
                             log.warning("lost the modem's port device={} reason={}", settings.serial.device,
                                         platform::quoted(reason));
                             port_timer.after_real(port_again, [this] { open_port(); });
                         }});
        modem.start(steady_now());
        pump();
    }
    void pump() {
        if (std::exchange(pumping, true)) return;
        const auto self = shared_from_this();
        modem.tick(steady_now());
        while (auto action = modem.take_action()) std::visit([this](auto& what) { perform(what); }, *action);
        finish_closing();
        pumping = false;
        const auto next = modem.next_deadline();
        if (next != never) timer.after_real(std::max(next - steady_now(), Duration{0}), [this] { pump(); });
        tell();
    }
    void perform(modem::WriteSerial& out) {
        if (port) port->send(out.bytes);
    }
    void perform(modem::Reset&) {
        if (settings.reset_file.empty()) return;
        log.warning("resets the modem file={}", settings.reset_file.string());
        std::ofstream{settings.reset_file} << "1\n";
        reset_timer.after_real(reset_pulse, [this] { std::ofstream{settings.reset_file} << "0\n"; });
    }
    void perform(modem::SocketOpened& opened);
    void perform(modem::SocketReceived& in) {
        const auto socket = sockets.find(in.socket);
        if (socket == sockets.end()) return;
        const auto at = socket->second;
        std::string trouble;
        try {
            at->deliver(in.bytes);
            if (at->held.size() > held_max) trouble = "nobody takes what comes";
        } catch (const std::exception& failure) {
            trouble = std::string{"the link's owner failed: "} + failure.what();
        }
        if (trouble.empty()) return;
        modem.close(in.socket, steady_now());
        forget(in.socket, trouble);
    }
    void perform(modem::SocketClosed& closed) { forget(closed.socket, closed.reason); }
    void forget(modem::SocketId id, const std::string& reason) {
        auto found = sockets.extract(id);
        if (found.empty()) return;
        const auto at = found.mapped();
        if (const auto dialled = std::exchange(at->dialled, {})) return dialled(nullptr, reason);
        at->end(reason);
    }
    void finish_closing() {
        for (modem::SocketId id = 0; id < modem::Modem::sockets_max; ++id) {
            const auto found = sockets.find(id);
            if (found == sockets.end() || !found->second->closing || modem.queued(id) > 0) continue;
            modem.close(id, steady_now());
            forget(id, "closed here");
        }
        while (auto action = modem.take_action()) std::visit([this](auto& what) { perform(what); }, *action);
    }
    void tell() {
        const auto now =
            std::tuple{modem.state(), modem.network(), modem.signal_dbm(), modem.operator_name()};
        if (now == told) return;
        if (modem.state() != std::get<0>(told))
            log.information("modem state={} network={} operator={} signal_dbm={} reason={}",
                            modem::to_string(modem.state()), static_cast<int>(modem.network()),
                            platform::quoted(modem.operator_name()), modem.signal_dbm().value_or(0),
                            platform::quoted(modem.reason()));
        told = now;
        const auto changed = on_change;
        if (changed) changed();
    }

    Loop& loop;
    CellularSettings settings;
    modem::Modem modem;
    Log log{"modem"};
    Timer timer, port_timer, reset_timer;
    std::unique_ptr<SerialLink> port;
    std::map<modem::SocketId, std::shared_ptr<Socket>> sockets;
    std::function<void()> on_change;
    std::tuple<modem::ModemState, modem::Network, std::optional<int>, std::string> told{};
    bool pumping = false;
};

class Cellular::SocketLink : public Link {
public:
    SocketLink(const std::shared_ptr<Core>& core, std::shared_ptr<Socket> socket)
        : core_(core), socket_(std::move(socket)) {}
    ~SocketLink() override {
        socket_->events = {};
        const auto core = core_.lock();
        if (!core || socket_->over || socket_->closing) return;
        socket_->over = true;
        core->modem.close(socket_->id, steady_now());
        core->sockets.erase(socket_->id);
        core->loop.post([core = core_] {
            if (const auto still = core.lock()) still->pump();
        });
    }
    void start(LinkEvents events) override {
        socket_->events = std::move(events);
        socket_->started = true;
        socket_->deliver({});
    }
    bool send(Bytes bytes) override {
        const auto core = core_.lock();
        if (!core || socket_->over || socket_->closing || bytes.size() > room()) return false;
        core->modem.send(socket_->id, bytes, steady_now());
        core->pump();
        return true;
    }
    void close() override {
        const auto core = core_.lock();
        if (!core || socket_->over || std::exchange(socket_->closing, true)) return;
        core->loop.post([core = core_] {
            if (const auto still = core.lock()) still->pump();
        });
    }
    void pause(bool paused) override {
        socket_->paused = paused;
        socket_->deliver({});
    }
    std::size_t room() const override {
        const auto core = core_.lock();
        return core ? write_queue_default - std::min(write_queue_default, core->modem.queued(socket_->id))
                    : 0;
    }
    const std::string& peer_address() const override { return socket_->address; }
    const std::optional<security::CertificateFacts>& peer() const override {
        static const std::optional<security::CertificateFacts> none;
        return none;
    }
    const std::string& protocol() const override {
        static const std::string none;
        return none;
    }

private:
    std::weak_ptr<Core> core_;
    std::shared_ptr<Socket> socket_;
};

void Cellular::Core::perform(modem::SocketOpened& opened) {
    const auto socket = sockets.find(opened.socket);
    if (socket == sockets.end()) return;
    const auto at = socket->second;
    const auto dialled = std::exchange(at->dialled, {});
    dialled(std::make_unique<SocketLink>(shared_from_this(), at), {});
}

Cellular::Cellular(Loop& loop, CellularSettings settings) {
    settings.modem.reset_line = !settings.reset_file.empty();
    core_ = std::make_shared<Core>(loop, std::move(settings));
}

Cellular::~Cellular() {
    core_->on_change = {};
    core_->timer.cancel();
    core_->port_timer.cancel();
    core_->reset_timer.cancel();
    core_->port.reset();
    while (!core_->sockets.empty())
        core_->forget(core_->sockets.begin()->first, "the modem is not used any more");
}

void Cellular::start(std::function<void()> on_change) {
    core_->on_change = std::move(on_change);
    core_->open_port();
}

void Cellular::dial(const std::string& host, std::uint16_t port, Dialled done) {
    const auto id = core_->modem.open(host, port, steady_now());
    if (!id) {
        return done(nullptr, "the modem is " + std::string{modem::to_string(core_->modem.state())} +
                                 (core_->modem.reason().empty() ? "" : ": " + core_->modem.reason()));
    }
    auto socket = std::make_shared<Socket>();
    socket->id = *id;
    socket->address = host + ":" + std::to_string(port);
    socket->dialled = std::move(done);
    core_->sockets[*id] = std::move(socket);
    core_->pump();
}

const modem::Modem& Cellular::modem() const { return core_->modem; }

}  // namespace wattmesh::platform
