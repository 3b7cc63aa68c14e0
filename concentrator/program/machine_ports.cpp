#include "concentrator/program/machine_ports.h"

namespace wattmesh::concentrator {
namespace {

constexpr std::chrono::seconds serial_again_real{10};
// More than all that may be under way to a machine: who does not read is let go.
constexpr std::size_t machine_queue_max = 256 * 1'024;

std::unique_ptr<platform::Acceptor> machine_acceptor(platform::Loop& loop, const MachineSettings& settings) {
    if (!settings.listen) return nullptr;
    platform::AcceptorSettings acceptor;
    acceptor.address = settings.listen->host;
    acceptor.port = settings.listen->port;
    acceptor.write_queue_max = machine_queue_max;
    return std::make_unique<platform::Acceptor>(loop, acceptor);
}

}  // namespace

MachinePorts::MachinePorts(platform::Loop& loop, MachineSettings settings, Core& core,
                           std::function<Duration()> elapsed, std::function<void()> after)
    : loop_(loop),
      settings_(std::move(settings)),
      core_(core),
      elapsed_(std::move(elapsed)),
      after_(std::move(after)),
      acceptor_(machine_acceptor(loop, settings_)),
      again_(loop) {}

void MachinePorts::start() {
    if (acceptor_) {
        log_.information("listened for vending machines address={} port={}", settings_.listen->host, port());
        acceptor_->start(
            [this](std::unique_ptr<platform::Link> link) {
                if (links_.size() < links_max + (serial_ ? 1 : 0)) return attach(std::move(link), false);
                log_.warning("refused machine from={} reason=\"too many connections\"", link->peer_address());
            },
            [this](const std::string& peer, const std::string& reason) {
                log_.warning("refused machine from={} reason={}", peer, platform::quoted(reason));
            });
    }
    if (settings_.serial) open_serial();
}

/// Again and again: an adapter may be plugged in later.
void MachinePorts::open_serial() {
    try {
        attach(std::make_unique<platform::SerialLink>(loop_, *settings_.serial, machine_queue_max), true);
        log_.information("opened the machine's line device={}", settings_.serial->device);
    } catch (const platform::SettingsError& error) {
        log_.warning("could not open the machine's line reason={}", platform::quoted(error.what()));
        again_.after_real(serial_again_real, [this] { open_serial(); });
    }
}

void MachinePorts::attach(std::unique_ptr<platform::Link> link, bool serial) {
    const MachineLine line{++newest_};
    auto& attached = *links_.emplace(line, std::move(link)).first->second;
    if (serial) serial_ = line;
    core_.machine_opened(line, serial, elapsed_());
    attached.start({.on_bytes =
                        [this, line](Bytes bytes) {
                            core_.machine_received(line, bytes, elapsed_());
                            after_();
                        },
                    .on_closed = [this, line](const std::string& reason) { lost(line, reason); }});
    after_();
}

void MachinePorts::lost(MachineLine line, const std::string& reason) {
    links_.erase(line);
    core_.machine_closed(line, elapsed_());
    if (serial_ == line) {
        serial_.reset();
        log_.warning("lost the machine's line reason={}", platform::quoted(reason));
        again_.after_real(serial_again_real, [this] { open_serial(); });
    }
    after_();
}

void MachinePorts::perform(const Action& action) {
    const auto link_of = [this](MachineLine line) {
        const auto found = links_.find(line);
        return found == links_.end() ? nullptr : found->second.get();
    };
    if (const auto* out = std::get_if<SendMachine>(&action)) {
        auto* link = link_of(out->line);
        if (link != nullptr && !link->send(out->bytes)) lost(out->line, "it does not take what it asked for");
    }
    if (const auto* pause = std::get_if<PauseMachine>(&action)) {
        if (auto* link = link_of(pause->line)) link->pause(pause->paused);
    }
    if (const auto* close = std::get_if<CloseMachine>(&action)) {
        if (auto* link = link_of(close->line)) link->close();
    }
}

}  // namespace wattmesh::concentrator
