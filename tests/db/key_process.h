#pragma once
#include <catch2/catch.hpp>

#include "headend/database/keys.h"
#include "headend/monitor/pg_key_service.h"
#include "headend/monitor/sealed_keys.h"
#include "security/ciphers.h"
#include "tests/db/town.h"

namespace wattmesh::test {

using namespace headend::monitor;

inline const security::FileMasterKey master{security::Key256{std::array<std::uint8_t, 32>{7}}};
inline std::shared_ptr<PrivateKey> no_key_of_our_own(int, security::CertificateUse) { return nullptr; }

struct AtOnce : platform::Executor {
    bool try_post(std::function<void()> job, Completion completion) override {
        std::exception_ptr fault;
        try {
            job();
        } catch (...) {
            fault = std::current_exception();
        }
        completion(fault);
        return true;
    }
};

/// A head-end's process with a key service, on a town's database.
struct Process {
    explicit Process(Town& town, int cap = 3, MeterSecurity::OwnKey own_key = no_key_of_our_own)
        : queue(
              town.database.settings("wm_monitor"), 1, executor, [](auto f) { f(); },
              [](const std::string& line) { FAIL_CHECK(line); }),
          counters(queue, horizon),
          security(master, std::move(own_key), random),
          service({.own_title = own_title, .caps = {.total = cap}}, queue, security, counters, ciphers,
                  [this] { return now; }) {}

    KeyAnswer ask(int meter, headend::monitor::Role role, int disconnects = 0) {
        std::optional<KeyAnswer> got;
        service.access(
            {.meter = customer(meter), .role = role, .actor = "tester", .disconnects = disconnects},
            [&](KeyAnswer answer) { got = std::move(answer); });
        return std::move(got).value();
    }
    bool granted(int meter, int disconnects = 1) {
        const auto answer = ask(meter, headend::monitor::Role::management, disconnects);
        if (const auto* fault = std::get_if<KeyFault>(&answer)) {
            CHECK(*fault == KeyFault::too_many_disconnects);
            return false;
        }
        return true;
    }

    Instant now = midnight;
    AtOnce executor;
    QueryQueue queue;
    CounterHorizon horizon;
    CounterBlocks counters;
    wattmesh::security::OpensslCiphers ciphers;
    wattmesh::security::SystemRandom random;
    MeterSecurity security;
    PgKeyService service;
};

inline void give_keys(Town& town, int meter, std::size_t size = 16) {
    const Buffer encryption(size, 0xA1), authentication(size, 0xB2);
    const auto id = Meters{town.admin}.find(customer(meter)).value().id;
    const auto put = [&](KeyPurpose purpose, Bytes key) {
        Keys{town.admin}.put(id, purpose, master.wrap(purpose_of(customer(meter), purpose), key), midnight);
    };
    put(KeyPurpose::management_ek, encryption);
    put(KeyPurpose::management_ak, authentication);
}

}  // namespace wattmesh::test
