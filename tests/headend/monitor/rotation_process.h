#pragma once
#include <catch2/catch.hpp>
#include <deque>
#include <map>

#include "headend/monitor/guarded_protection.h"
#include "headend/monitor/key_rotator.h"

/// A head-end that replaces keys, in memory, so that a test can stop it anywhere.
namespace wattmesh::headend::monitor {

inline const DeviceNumber number = DeviceNumber::parse("540000000011").value();
inline const DeviceNumber unit = DeviceNumber::parse("900000000001").value();
inline const std::vector<dlms::KeyKind> every_kind{
    dlms::KeyKind::unicast_encryption, dlms::KeyKind::authentication, dlms::KeyKind::broadcast_encryption,
    dlms::KeyKind::master};
inline SymmetricKey key(std::uint8_t fill) { return SymmetricKey::from(Buffer(16, fill)).value(); }
inline dlms::ClientKeys first_keys() { return {key(1), key(2), key(3), key(4)}; }

/// What outlives the head-end's process: keys, counters, the order.
struct Store : dlms::KeyLedger {
    dlms::ClientKeys current() const override { return keys; }
    std::optional<SymmetricKey> pending(dlms::KeyKind kind) const override {
        const auto found = waiting.find(kind);
        return found == waiting.end() ? std::nullopt : std::optional{found->second};
    }
    void set_pending(dlms::KeyKind kind, const SymmetricKey& fresh) override {
        write();
        waiting.insert_or_assign(kind, fresh);
    }
    void promote(dlms::KeyKind kind) override {
        write();
        keys.set(kind, waiting.at(kind));
        waiting.erase(kind);
        std::erase(left, kind);
        if (kind == dlms::KeyKind::unicast_encryption) received = 0;
        replaced.push_back(kind);
    }
    void drop_pending(dlms::KeyKind kind) override {
        write();
        waiting.erase(kind);
    }
    void write() {
        if (writes_left-- == 0) throw std::runtime_error("the database is away");
    }
    dlms::ClientKeys keys = first_keys();
    std::map<dlms::KeyKind, SymmetricKey> waiting;
    std::vector<dlms::KeyKind> left, replaced, refused;
    std::uint32_t reserved = 0, received = 0;
    int writes_left = 1'000'000;
};

/// A process's counters: blocks that are reserved before use.
struct Block : CounterStore {
    explicit Block(Store& kept) : store(kept) {}
    std::optional<std::uint32_t> next() override {
        if (at == end) return std::nullopt;
        return ++at;
    }
    bool accept(std::uint32_t value) override {
        if (value <= store.received) return false;
        store.received = value;
        return true;
    }
    void raise(std::uint32_t next) override { wanted = std::max(wanted, next); }
    void refill() {
        if (end - at >= 32 && wanted == 0) return;
        store.reserved = std::max(store.reserved, wanted);
        wanted = 0;
        at = store.reserved;
        end = store.reserved += 64;
    }
    Store& store;
    std::uint32_t at = 0, end = 0, wanted = 0;
};

/// The head-end's process: gone with a crash.
struct Process final : RotationDesk, KeyService {
    struct Request {
        Sap client;
        Buffer apdu;
        frontend::Relay::Done done;
    };
    Process(Store& kept, Ciphers& with, Random& chance, const Instant& clock)
        : store(kept),
          ciphers(with),
          counters(kept),
          on_demand(
              {}, *this, carry(), [&clock] { return clock; }, with, chance),
          rotator({}, *this, *this, on_demand, carry(), [&clock] { return clock; }, with, chance) {}
    Carry carry() {
        return
            [this](DeviceNumber to, DeviceNumber meter, Sap client, Buffer apdu, frontend::Relay::Done done) {
                CHECK(to == unit);
                CHECK(meter == number);
                CHECK(apdu.size() <= 200);
                requests.push_back({client, std::move(apdu), std::move(done)});
            };
    }

    struct Seat final : RotationSeat {
        explicit Seat(Process& with) : process(with) {
            concentrator = unit;
            own_title = monitor::own_title;
            meter_title = system_title(number);
        }
        dlms::KeyLedger& ledger() override { return process.store; }
        CounterStore& counters() override { return process.counters; }
        void encryption_replaced(std::uint32_t received) override { process.store.received = received; }
        void refused(dlms::KeyKind kind) override {
            process.store.refused.push_back(kind);
            std::erase(process.store.left, kind);
        }
        Process& process;
    };
    void sit(const RotationOrder&, Work work, std::function<void(std::string)> done) override {
        jobs.push_back([this, work = std::move(work), done = std::move(done)] {
            counters.refill();
            Seat seat{*this};
            try {
                work(seat);
            } catch (const std::runtime_error&) {
                return done("unavailable");
            }
            done("");
        });
    }
    void refused(const RotationOrder&, const std::string& why) override { FAIL_CHECK("refused: " << why); }
    void access(KeyRequest request, std::function<void(KeyAnswer)> done) override {
        jobs.push_back([this, request, done = std::move(done)] {
            counters.refill();
            auto keyed = std::make_unique<dlms::SecurityContext>(store.keys, own_title, system_title(number),
                                                                 ciphers, counters, counters);
            done(GuardedAccess{unit, own_title, system_title(number),
                               std::make_unique<GuardedProtection>(
                                   std::move(keyed), request.role, 0,
                                   [](const std::string& why) { FAIL_CHECK("refused: " << why); })});
        });
    }
    void raise(DeviceNumber, const dlms::CounterRaised& raised, const std::string& actor) override {
        counters.raise(raised.next);
        raises.push_back(actor + " " + std::to_string(raised.next));
    }

    Store& store;
    Ciphers& ciphers;
    Block counters;
    std::deque<std::function<void()>> jobs;
    std::deque<Request> requests;
    std::vector<std::string> raises;
    OnDemand on_demand;
    KeyRotator rotator;
};

}  // namespace wattmesh::headend::monitor
