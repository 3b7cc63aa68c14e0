#pragma once
#include <map>
#include <set>
#include <string>

#include "platform/connector.h"
#include "protocol/link/hello_profile.h"
#include "protocol/modbus/rtu.h"
#include "terminal-sim/device/modbus_meter.h"

namespace wattmesh::sim {

/// A DTU: calls in over TCP, says its registration packet, beats, and puts what the head-end says on its
/// RS-485 and back, octets as they are. Behind it are Modbus RTU meters, by unit; who is not there says
/// nothing.
class Dtu {
public:
    struct Settings {
        std::string host;
        std::uint16_t port = 0;
        std::string identity;
        Duration turnaround = std::chrono::milliseconds{50};  ///< of a meter, simulated
        /// Every third answer has a heartbeat in its middle, as of a unit that does not look whether it is
        /// sending.
        bool beat_within = false;
    };
    struct Counters {
        std::uint64_t calls = 0, beats = 0, requests = 0, answers = 0, split = 0, nobody = 0;
    };
    using Units = std::map<std::uint8_t, ModbusMeter>;

    /// `profile` carries Modbus RTU and outlives it.
    Dtu(platform::Loop& loop, Random& random, Settings settings, const link::HelloProfile& profile,
        Units units);
    const Counters& counters() const { return counters_; }

private:
    void open();
    void beat();
    void receive(Bytes octets);
    void answer(const modbus::RtuFrame& frame);
    void send_answer(const Buffer& frame);
    void send(Bytes octets);

    platform::Loop& loop_;
    Settings settings_;
    const link::HelloProfile& profile_;
    Units units_;
    Counters counters_;
    modbus::RtuRequestDecoder decoder_;
    platform::Timer beat_timer_, answer_timer_;
    platform::Connector connector_;
};

}  // namespace wattmesh::sim
