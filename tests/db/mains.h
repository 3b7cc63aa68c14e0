#pragma once
#include "headend/database/deliveries.h"
#include "headend/jobs/job_runner.h"
#include "headend/monitor/delivery_work.h"
#include "headend/monitor/prepayment_round.h"
#include "headend/monitor/relay_job.h"
#include "protocol/cosem/models/models.h"
#include "protocol/dlms/server.h"
#include "protocol/sts/derivation.h"
#include "security/sts_ciphers.h"
#include "terminal-sim/meter/keypad.h"
#include "tests/db/key_process.h"
#include "tests/db/shop.h"
#include "tests/headend/monitor/fixed_keys.h"

/// A shop whose first meter hangs on the mains behind a head-end's monitor role.
namespace wattmesh::test {

using headend::frontend::Relay;
using headend::frontend::RelayStatus;
using headend::monitor::DeliveryStep;
using headend::monitor::DeliveryWork;

inline sim::PrepaidSettings settings_of(const sts::MeterPan& pan, cosem::Reconnection reconnection) {
    security::OpensslDerivationCiphers ciphers;
    const auto vending = *sts::VendingKey::from(*from_hex("abababababababab949494949494949401234567"));
    sts::KeyDerivation derivation{sts::Derivation::dkga04, vending, ciphers};
    sim::PrepaidSettings made{
        .pan = pan, .key = {.supply_group = {201457}, .base = sts::BaseDate::y2014}, .decoder_key = {}};
    made.decoder_key = std::get<sts::DecoderKey>(derivation.derive(made.key, sts::Algorithm::ea11, pan));
    made.reconnection = reconnection;
    return made;
}

/// The simulated meter with its COSEM server.
struct Mains {
    Mains(Instant installed, cosem::Reconnection reconnection)
        : load(7, headend::monitor::fixed::meter, sim::LoadKind::household, false),
          meter(made(installed, reconnection), load, &load.supply(), nullptr),
          server(system_title(headend::monitor::fixed::meter), {access()}, meter, ciphers, random) {}
    static sim::MeterSettings made(Instant installed, cosem::Reconnection reconnection) {
        sim::MeterSettings settings{
            .number = headend::monitor::fixed::meter, .seed = 7, .installed_at = installed};
        settings.prepaid = settings_of(Shop::pan(0), reconnection);
        settings.model = reconnection == cosem::Reconnection::by_command ? &cosem::models::prepaid_remote
                                                                         : &cosem::models::prepaid;
        return settings;
    }
    dlms::ClientAccess access() {
        dlms::ClientAccess client;
        client.client = management_client;
        client.mechanism = dlms::Mechanism::high_gmac;
        client.ciphered = true;
        client.keys = dlms::ClientKeys{headend::monitor::fixed::key(1), headend::monitor::fixed::key(2)};
        client.pdu_size_max = 200;
        client.send = &sent;
        client.receive = &received;
        return client;
    }
    std::string keypad(const std::string& line, Instant now) { return keypad_answer(meter, line, now); }
    bool closed(Instant now) {
        meter.advance(now);
        return meter.closed(now);
    }
    /// Wh that were bought, whatever of it was used.
    std::int64_t bought(Instant now) {
        meter.advance(now);
        const auto present = meter.prepaid_at(now);
        return present.balance() + present.state().used;
    }

    security::OpensslCiphers ciphers;
    security::SystemRandom random;
    headend::monitor::fixed::MemoryCounters sent, received;
    sim::CustomerLoad load;
    sim::Meter meter;
    dlms::Server server;
};

/// What is on the way between head-end and meter, and the counters and keys that outlive a head-end.
struct Wires {
    struct Request {
        Buffer apdu;
        Relay::Done done;
    };
    headend::monitor::Carry carry() {
        return [this](DeviceNumber, DeviceNumber, Sap, Buffer apdu, Relay::Done done) {
            requests.push_back({std::move(apdu), std::move(done)});
        };
    }
    headend::monitor::fixed::FixedKeys keys;
    std::vector<Request> requests;
    RelayStatus status = RelayStatus::answered;
    int lose_entries = 0;  ///< so many answers to entered tokens are lost
};

struct LoopClock final : platform::Clock {
    explicit LoopClock(SetClock& of) : clock(of) {}
    Instant now() const override { return clock.now(); }
    std::chrono::nanoseconds real(Duration simulated) const override { return simulated; }
    SetClock& clock;
};

/// A process with the monitor role: reads, breakers, jobs and deliveries.
struct Monitor {
    Monitor(Shop& shop, Wires& wires, std::function<bool(DeliveryStep)> lives = {},
            const headend::monitor::DeliveryWorkSettings& settings = {})
        : now([&shop] { return shop.clock.now(); }),
          loop(std::make_shared<LoopClock>(shop.clock)),
          queue(
              shop.database.settings("wm_monitor"), 1, executor, [](auto f) { f(); },
              [](const std::string& line) { FAIL_CHECK(line); }),
          on_demand({}, wires.keys, wires.carry(), now, ciphers, random),
          relay(wires.keys, on_demand, wires.carry(), ciphers, random),
          tokens(wires.keys, on_demand, wires.carry(), ciphers, random),
          relays(
              queue, relay, [] {}, now, headend::monitor::prepayment_objection),
          runner(loop, {.owner = "m", .look_real = std::chrono::hours{1}}, queue, {&relays}),
          work(settings, {queue, shop.master, tokens, relay, [] {}, now, std::move(lives)}) {}
    ~Monitor() { runner.stop(); }

    std::function<Instant()> now;
    platform::Loop loop;
    AtOnce executor;
    QueryQueue queue;
    security::OpensslCiphers ciphers;
    security::SystemRandom random;
    headend::monitor::OnDemand on_demand;
    headend::monitor::RelayDesk relay;
    headend::monitor::TokenDesk tokens;
    headend::monitor::RelayJob relays;
    headend::jobs::JobRunner runner;
    DeliveryWork work;
};

/// Shop, meter and wires under one clock.
struct Street {
    explicit Street(cosem::Reconnection reconnection = cosem::Reconnection::by_itself);
    /// Sells for 100.00, and says the digits.
    std::string sell(const std::string& key, bool confirmed = true);
    /// To supply group 201458.
    void change_key(const std::string& key);
    /// Of the stored receipt.
    std::vector<std::string> digits(const std::string& key);
    SaleId sale(const std::string& key);
    Delivery delivery(const std::string& key);
    /// Time passes while the processes work.
    void pass(std::vector<Monitor*> processes, Duration duration, Duration step = std::chrono::seconds{5});
    /// One process works until the delivery has ended.
    void deliver(const std::string& key);

    Shop shop;
    Mains mains;
    Wires wires;
};

}  // namespace wattmesh::test
