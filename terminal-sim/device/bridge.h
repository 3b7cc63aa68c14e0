#pragma once
#include <memory>
#include <string>

#include "platform/connector.h"
#include "protocol/link/hello_profile.h"

namespace wattmesh::sim {

/// What a DTU does, with real meters behind it: a serial line on one side, a TCP link to the head-end on the
/// other, octets as they are. It calls in, says its registration packet, and beats when nothing else was sent
/// for a heartbeat's time.
class Bridge {
public:
    struct Settings {
        std::string host;
        std::uint16_t port = 0;
        std::string identity;
        /// Octets of the line travel together when they are no further apart than this. Real time: the
        /// line's.
        std::chrono::milliseconds gap{20};
        std::size_t packet_max = 512;
    };
    struct Counters {
        std::uint64_t calls = 0, beats = 0, packets_up = 0, octets_up = 0, octets_down = 0, octets_lost = 0;
    };

    /// `profile` outlives it; it has a log-in (asserted: the identity fits). `on_line_lost`: the serial side
    /// ended.
    Bridge(platform::Loop& loop, Random& random, Settings settings, const link::HelloProfile& profile,
           std::unique_ptr<platform::Link> line, std::function<void(const std::string&)> on_line_lost);
    const Counters& counters() const { return counters_; }

private:
    void open();
    void beat();
    void from_line(Bytes octets);
    void flush();
    void send(Bytes octets);

    platform::Loop& loop_;
    Settings settings_;
    const link::HelloProfile& profile_;
    Counters counters_;
    Buffer packet_;
    platform::Timer gap_, beat_;
    std::unique_ptr<platform::Link> line_;
    platform::Connector connector_;
};

}  // namespace wattmesh::sim
