#pragma once
#include <atomic>
#include <thread>

#include "platform/loop.h"
#include "platform/settings.h"
#include "security/ciphers.h"
#include "terminal-sim/meter/access.h"
#include "terminal-sim/meter/bench_port.h"
#include "terminal-sim/meter/meter.h"
#include "terminal-sim/meter/push_port.h"

namespace wattmesh::sim {

using namespace std::chrono_literals;

inline Key128 key(std::uint8_t octet) {
    std::array<std::uint8_t, 16> octets;
    octets.fill(octet);
    return Key128{octets};
}

/// What is not as with every simulated meter.
struct SpecialMeter {
    cosem::push_setup::Destination push_destination{};
    std::uint8_t security_policy = 0x6C;
    std::size_t push_pdu_size_max = 0xFFFF;
    const cosem::MeterModel* model = &cosem::models::generic;
    dlms::Quirks quirks{};
    dlms::Suite suite = dlms::Suite::zero;
    dlms::AssociationForm form{};
    std::filesystem::path pki{};  ///< of suites 1 and 2
};

/// The simulated meter behind a real socket, in a thread of its own.
class MeterThread {
public:
    using Special = SpecialMeter;
    explicit MeterThread(LinkKind kind, BenchLimits limits = {}, const Special& special = {}) {
        limits.device_address = to_string(number);
        thread_ = std::thread{[this, kind, limits, special]() mutable {
            CustomerLoad load{1, number, LoadKind::household, false};
            CounterFile counters{2};
            MeterSettings settings{.number = number, .seed = 1, .installed_at = loop_.now() - 24h};
            settings.accepted_counter = [&](Sap client) {
                return counters.accepted(client == management_client ? 0 : 1);
            };
            settings.push_destination = special.push_destination;
            settings.model = special.model;
            settings.quirks = special.quirks;
            limits.quirks = special.quirks;
            settings.security_policy = special.security_policy;
            const auto key_of = [&](std::uint8_t octet) {
                return SymmetricKey::from(Buffer(dlms::key_size(special.suite), octet)).value();
            };
            AccessKeys keys{dlms::ClientKeys{key_of(1), key_of(2)}, {}, to_buffer(as_bytes("12345678"))};
            std::optional<security::CertificateFolder> certificates;
            if (special.suite != dlms::Suite::zero)
                certificates.emplace(special.pki, system_title(number), dlms::curve_of(special.suite),
                                     [this] { return loop_.now(); });
            keys.certificates = settings.certificates = certificates ? &*certificates : nullptr;
            keys.suite = special.suite;
            keys.form = special.form;
            settings.security_suite = static_cast<int>(special.suite);
            security::OpensslCiphers ciphers;
            security::SystemRandom random;
            PushPort pushes{loop_,
                            random,
                            {.pdu_size_max = special.push_pdu_size_max,
                             .gateway = limits.gateway,
                             .quirks = special.quirks},
                            [&](const PushOrder& order) {
                                return protected_push(order, keys, system_title(number), ciphers, counters,
                                                      0);
                            },
                            [this] { return loop_.now(); }};
            settings.send_push = [&](PushOrder order) { pushes.push(std::move(order)); };
            Meter meter{settings, load, &load.supply(), nullptr};
            const auto make_server = [&] {
                return std::make_unique<dlms::Server>(system_title(number),
                                                      bench_access(keys, counters, 0, *special.model), meter,
                                                      ciphers, random);
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
