#pragma once
#include <atomic>
#include <thread>

#include "platform/loop.h"
#include "platform/settings.h"
#include "security/ciphers.h"
#include "terminal-sim/meter/access.h"
#include "terminal-sim/meter/bench_port.h"
#include "terminal-sim/meter/meter.h"

namespace wattmesh::sim {

using namespace std::chrono_literals;

inline Key128 key(std::uint8_t octet) {
    std::array<std::uint8_t, 16> octets;
    octets.fill(octet);
    return Key128{octets};
}

/// The simulated meter behind a real socket, in a thread of its own.
class MeterThread {
public:
    explicit MeterThread(LinkKind kind, BenchLimits limits = {}) {
        limits.device_address = to_string(number);
        thread_ = std::thread{[this, kind, limits] {
            CustomerLoad load{1, number, LoadKind::household, false};
            CounterFile counters{2};
            MeterSettings settings{.number = number, .seed = 1, .installed_at = loop_.now() - 24h};
            settings.accepted_counter = [&](Sap client) {
                return counters.accepted(client == management_client ? 0 : 1);
            };
            Meter meter{settings, load, &load.supply(), nullptr};
            const AccessKeys keys{dlms::ClientKeys{key(1), key(2)}, {}, to_buffer(as_bytes("12345678"))};
            security::OpensslCiphers ciphers;
            security::SystemRandom random;
            const auto make_server = [&] {
                return std::make_unique<dlms::Server>(system_title(number), bench_access(keys, counters, 0),
                                                      meter, ciphers, random);
            };
            BenchPort port{loop_, "127.0.0.1", 0, kind, make_server, limits};
            port_ = port.port();
            loop_.run();
        }};
        while (port_ == 0) std::this_thread::yield();
    }
    ~MeterThread() {
        loop_.stop();
        thread_.join();
    }
    platform::HostPort address() const { return {"127.0.0.1", port_}; }
    static inline const DeviceNumber number = *DeviceNumber::parse("540000000042");

private:
    platform::Loop loop_{std::make_shared<platform::ScaledClock>()};
    std::atomic<std::uint16_t> port_{0};
    std::thread thread_;
};

}  // namespace wattmesh::sim
