#pragma once
#include "platform/link.h"
#include "platform/settings.h"

namespace wattmesh::platform {

enum class Parity : std::uint8_t { none, even, odd };

struct SerialSettings {
    std::string device;  ///< /dev/ttyUSB0, or one end of a pty pair
    std::uint32_t baud = 9'600;
    Parity parity = Parity::even;
    std::uint8_t stop_bits = 1;
};

/// A serial port as a Link: eight data bits, raw, no flow control. What a pty does not know of this (rates,
/// parity) it passes over.
class SerialLink : public Link {
public:
    /// Throws SettingsError, naming the device, when it cannot be opened, is no terminal, or has not this
    /// rate.
    SerialLink(Loop& loop, const SerialSettings& settings, std::size_t write_queue_max = write_queue_default);
    ~SerialLink() override;

    void start(LinkEvents events) override;
    bool send(Bytes bytes) override;
    void close() override;
    void pause(bool paused) override;
    std::size_t room() const override;
    /// The device's path.
    const std::string& peer_address() const override;
    const std::optional<security::CertificateFacts>& peer() const override;
    const std::string& protocol() const override;

private:
    struct Core;
    std::shared_ptr<Core> core_;
};

}  // namespace wattmesh::platform
