#pragma once
#include <catch2/catch.hpp>

#include "headend/monitor/guarded_protection.h"
#include "headend/monitor/key_service.h"
#include "security/ciphers.h"

/// One meter, and a key service that knows its keys and guards as the real one does.
namespace wattmesh::headend::monitor::fixed {

inline const DeviceNumber meter = DeviceNumber::parse("540000000001").value();
inline const DeviceNumber concentrator = DeviceNumber::parse("900000000001").value();

struct MemoryCounters : CounterStore {
    std::optional<std::uint32_t> next() override { return ++sent; }
    bool accept(std::uint32_t received) override {
        if (received <= accepted) return false;
        accepted = received;
        return true;
    }
    void raise(std::uint32_t next) override {
        if (next > sent) sent = next - 1;
    }
    std::uint32_t sent = 0, accepted = 0;
};

inline Key128 key(std::uint8_t fill) {
    std::array<std::uint8_t, 16> octets{};
    octets.fill(fill);
    return Key128{octets};
}

struct FixedKeys : KeyService {
    void access(KeyRequest request, std::function<void(KeyAnswer)> done) override {
        waiting.push_back([this, request, done] { done(answer(request)); });
    }
    KeyAnswer answer(const KeyRequest& request) {
        if (fault) return *fault;
        if (capped && request.disconnects > 0) return KeyFault::too_many_disconnects;
        auto keyed = std::make_unique<dlms::SecurityContext>(keys, own_title, system_title(request.meter),
                                                             ciphers, counters, counters);
        return GuardedAccess{.concentrator = concentrator,
                             .own_title = own_title,
                             .meter_title = system_title(request.meter),
                             .protection = std::make_unique<GuardedProtection>(
                                 std::move(keyed), request.role, request.disconnects,
                                 [](const std::string& why) { FAIL_CHECK("refused: " << why); })};
    }
    void raise(DeviceNumber, const dlms::CounterRaised&, const std::string&) override {}
    dlms::ClientKeys keys{key(1), key(2)};
    std::optional<KeyFault> fault;
    bool capped = false;  ///< no more disconnections are granted
    MemoryCounters counters;
    security::OpensslCiphers ciphers;
    std::vector<std::function<void()>> waiting;
};

}  // namespace wattmesh::headend::monitor::fixed
