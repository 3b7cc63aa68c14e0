#pragma once
#include <array>
#include <atomic>
#include <cstdint>

namespace wattmesh::bench {

enum class Phase : int { idle, log_in, work, quit };

/// What the processes of the load share: the driver gives orders, the clients count. In memory that all of
/// them map.
struct Shared {
    static constexpr int slots_per_ms = 10, slots = 20'000;  ///< tenths of a millisecond up to two seconds
    std::atomic<int> phase{0};
    std::atomic<std::int64_t> sessions{0};  ///< logged in now
    std::atomic<std::uint64_t> frames{0}, answers{0}, octets{0}, log_ins{0}, handshakes{0}, resumed{0},
        refused{0}, lost{0};
    std::array<std::atomic<std::uint32_t>, slots + 1> beats{};  ///< by how long the answer took; last: longer
};

struct Load {
    std::uint16_t port = 0;
    std::uint64_t first = 600'000'000'000;  ///< number of the first device
    int count = 0;                          ///< of this process
    int sources = 1;                        ///< loopback addresses to call from
    int index = 0;                          ///< of this process
    bool tls = false;
    double beat_s = 60;
    double heavy_share = 0.02;  ///< of the devices: 1 kB of journal each second
};

/// One process of the load: its devices connect, say hello, beat, push, and call again after 2 to 30 s when
/// they lose the link. Returns when told to quit.
void run_clients(const Load& load, Shared& shared);

/// The server that is compared with: gives back what it gets.
[[noreturn]] void run_echo(std::uint16_t port);

}  // namespace wattmesh::bench
