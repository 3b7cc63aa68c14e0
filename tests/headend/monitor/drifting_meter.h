#pragma once
#include "headend/monitor/clock_desk.h"
#include "protocol/dlms/server.h"
#include "security/ciphers.h"
#include "terminal-sim/meter/access.h"
#include "tests/headend/monitor/fixed_keys.h"
#include "tests/terminal-sim/meter/town_street.h"

/// The simulated meter with a clock that is off and drifts, at the far end of a road that takes its time.
namespace wattmesh::headend::monitor::fixed {

struct DriftingMeter {
    DriftingMeter(Instant installed_at, Duration offset, std::int32_t drift_ppm)
        : device(settings(installed_at, offset, drift_ppm), *street.customers[0],
                 &street.customers[0]->supply(), nullptr),
          server(system_title(meter), sim::radio_access(keys(), system_title(concentrator), counters, 0),
                 device, ciphers, random) {}
    static sim::MeterSettings settings(Instant installed_at, Duration offset, std::int32_t drift_ppm) {
        sim::MeterSettings made{.number = meter, .seed = 5, .installed_at = installed_at};
        made.clock_offset = offset;
        made.drift_ppm = drift_ppm;
        made.over_radio = true;
        return made;
    }
    static sim::AccessKeys keys() {
        sim::AccessKeys made;
        made.management = dlms::ClientKeys{key(1), key(2)};
        made.reading = dlms::ClientKeys{key(5), key(6)};
        return made;
    }
    /// Somebody sets it, on site: it loses `by`.
    void set_back(Instant now, Duration by) {
        const auto shown = dlms::date_time_octets({.at = device.shown_time(now) - by});
        device.set({8, obis::clock, 2}, shown, management_client, now,
                   [](dlms::AccessResult result) { CHECK(result == dlms::AccessResult::success); });
    }
    /// What its clock shows too much.
    Duration offset(Instant now) const { return device.shown_time(now) - now; }

    sim::Street street{5};
    security::OpensslCiphers ciphers;
    security::SystemRandom random;
    sim::CounterFile counters{2};
    sim::Meter device;
    dlms::Server server;
};

/// Carries requests there and answers back, each in `leg`.
struct SlowRoad {
    Carry carry() {
        return [this](DeviceNumber, DeviceNumber, Sap, Buffer apdu, frontend::Relay::Done done) {
            requests.push_back({std::move(apdu), std::move(done)});
        };
    }
    void turn(DriftingMeter& at, FixedKeys& keys, Instant& now) {
        while (!keys.waiting.empty() || !requests.empty()) {
            for (auto& answer : std::exchange(keys.waiting, {})) answer();
            for (auto& [apdu, done] : std::exchange(requests, {})) {
                now += leg;
                const auto deeds = at.device.deeds().size();
                Buffer answered;
                const auto way = silent_after_deed && deeds > 0 ? frontend::RelayStatus::unreachable : status;
                if (way == frontend::RelayStatus::answered)
                    at.server.handle(management_client, apdu, now,
                                     [&](Buffer answer) { answered = std::move(answer); });
                now += leg;
                const bool lost = lose_deed && at.device.deeds().size() > deeds;
                if (way != frontend::RelayStatus::answered || lost)
                    done({lost ? frontend::RelayStatus::timed_out : way, {}});
                else
                    done({frontend::RelayStatus::answered, std::move(answered)});
            }
        }
    }

    struct Request {
        Buffer apdu;
        frontend::Relay::Done done;
    };
    Duration leg = std::chrono::milliseconds{700};
    frontend::RelayStatus status = frontend::RelayStatus::answered;
    bool lose_deed = false;          ///< the answer to what changed the meter
    bool silent_after_deed = false;  ///< the meter is out of reach from then on
    std::vector<Request> requests;
};

}  // namespace wattmesh::headend::monitor::fixed
