#pragma once
#include <filesystem>

#include "platform/link.h"
#include "platform/serial_link.h"
#include "protocol/modem/modem.h"

namespace wattmesh::platform {

struct CellularSettings {
    SerialSettings serial{.device = {}, .baud = 115'200, .parity = Parity::none};
    modem::ModemSettings modem;
    /// The reset line as a file that takes 1 and 0 (a GPIO's value in sysfs); empty: there is none.
    std::filesystem::path reset_file{};
};

/// A cellular modem on a serial port: keeps it registered and attached, and opens connections through its TCP
/// stack as Links. Its time is real. Lives on the loop's thread; links may outlive it and end then.
class Cellular {
public:
    /// Why there is no link, when there is none.
    using Dialled = std::function<void(std::unique_ptr<Link> link, const std::string& reason)>;

    Cellular(Loop& loop, CellularSettings settings);
    ~Cellular();
    Cellular(const Cellular&) = delete;
    Cellular& operator=(const Cellular&) = delete;

    /// `on_change`: state, network or signal are others than before. A port that is not there is tried again.
    void start(std::function<void()> on_change);
    /// `done` comes once, also at once.
    void dial(const std::string& host, std::uint16_t port, Dialled done);
    const modem::Modem& modem() const;

private:
    struct Core;
    struct Socket;
    class SocketLink;
    std::shared_ptr<Core> core_;
};

}  // namespace wattmesh::platform
