#include "terminal-sim/device/modem_port.h"

#include <fcntl.h>
#include <stdlib.h>  // NOLINT: posix_openpt and its kin
#include <termios.h>
#include <unistd.h>

#include <fstream>
#include <stdexcept>

#include "platform/steady.h"

namespace wattmesh::sim {
namespace {

constexpr std::chrono::milliseconds look_every{5};
constexpr Duration one_attempt = std::chrono::hours{24 * 365};

}  // namespace

ModemPort::ModemPort(platform::Loop& loop, Random& random, ModemTruth truth, std::string reset_file)
    : loop_(loop),
      random_(random),
      modem_(std::move(truth)),
      reset_file_(std::move(reset_file)),
      master_(::posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC)),
      timer_(loop) {
    if (master_ < 0 || ::grantpt(master_) != 0 || ::unlockpt(master_) != 0)
        throw std::runtime_error("cannot open a pseudo-terminal");
    device_ = ::ptsname(master_);
    // Held open, so that the modem stays there while nobody uses it.
    slave_ = ::open(device_.c_str(), O_RDWR | O_NOCTTY | O_CLOEXEC);
    termios line{};
    if (slave_ < 0 || ::tcgetattr(slave_, &line) != 0) throw std::runtime_error("cannot open " + device_);
    ::cfmakeraw(&line);
    ::tcsetattr(slave_, TCSANOW, &line);
    look();
}

ModemPort::~ModemPort() {
    timer_.cancel();
    if (slave_ >= 0) ::close(slave_);
    if (master_ >= 0) ::close(master_);
}

void ModemPort::look() {
    std::array<std::uint8_t, 2'048> octets{};
    for (ssize_t size = 0; (size = ::read(master_, octets.data(), octets.size())) > 0;)
        modem_.receive(Bytes{octets}.first(static_cast<std::size_t>(size)), platform::steady_now());
    if (!reset_file_.empty()) {
        char level = '0';
        std::ifstream{reset_file_} >> level;
        if (level == '1' && !reset_high_) modem_.reset(platform::steady_now());
        reset_high_ = level == '1';
    }
    pump();
    timer_.after_real(look_every, [this] { look(); });
}

void ModemPort::pump() {
    modem_.tick(platform::steady_now());
    while (const auto action = modem_.take_action()) perform(*action);
    if (out_.empty()) return;
    const auto written = ::write(master_, out_.data(), out_.size());
    if (written > 0) out_.erase(out_.begin(), out_.begin() + written);
}

void ModemPort::perform(const SimModemAction& action) {
    if (const auto* write = std::get_if<ModemWrite>(&action))
        out_.insert(out_.end(), write->bytes.begin(), write->bytes.end());
    if (const auto* call = std::get_if<ModemConnect>(&action)) connect(*call);
    if (const auto* send = std::get_if<ModemSend>(&action)) {
        const auto found = calls_.find(send->socket);
        if (found != calls_.end() && found->second->link() != nullptr)
            found->second->link()->send(send->bytes);
    }
    if (const auto* end = std::get_if<ModemHangUp>(&action)) {
        const auto found = calls_.find(end->socket);
        if (found != calls_.end()) found->second->stop();
    }
}

void ModemPort::connect(const ModemConnect& call) {
    platform::ConnectorSettings settings;
    settings.host = place_ ? place_->host : call.host;
    settings.port = place_ ? place_->port : call.port;
    settings.wait_min = settings.wait_max = one_attempt;
    auto& connector = calls_[call.socket];
    connector = std::make_unique<platform::Connector>(loop_, random_, settings);
    const auto opened = std::make_shared<bool>(false);
    connector->start(
        {.on_open =
             [this, opened, socket = call.socket](platform::Link&) {
                 *opened = true;
                 modem_.connected(socket, true);
             },
         .on_bytes = [this, socket = call.socket](Bytes bytes) { modem_.from_net(socket, bytes); },
         .on_closed =
             [this, opened, socket = call.socket](const std::string&, Duration) {
                 if (*opened)
                     modem_.net_closed(socket);
                 else
                     modem_.connected(socket, false);
             }});
}

}  // namespace wattmesh::sim
