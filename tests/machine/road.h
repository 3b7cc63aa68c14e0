#pragma once
#include <catch2/catch.hpp>
#include <fstream>
#include <future>

#include "concentrator/program/station.h"
#include "headend/frontend/listener.h"
#include "headend/frontend/vending_door.h"
#include "terminal-sim/tool/machine_till.h"
#include "tests/db/counter.h"
#include "tests/headend/frontend/memory_store.h"
#include "tests/machine/line_pair.h"

namespace wattmesh::test {

using namespace std::chrono_literals;
inline const DeviceNumber concentrator_number = *DeviceNumber::parse("900000000001");
inline Instant real_now() { return std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now()); }

/// Certificates of one utility: of the head-end's uplink, of vending's door for machines, of a concentrator.
struct Papers {
    Papers() {
        const auto vending = authority.issue_server({"vending.test"}, real_now());
        door.port = 0;
        door.certificate = (folder.path / "vending.pem").string();
        door.key = (folder.path / "vending.key").string();
        std::ofstream{door.certificate} << vending.certificate_pem;
        security::create_private_file(door.key, vending.key_pem.reveal());
    }
    platform::TlsLink::Context uplink() const {
        const auto server = authority.issue_server({"127.0.0.1"}, real_now());
        security::TlsSettings tls;
        tls.role = security::TlsRole::server;
        tls.certificate_pem = server.certificate_pem;
        tls.key_pem = server.key_pem;
        tls.ca_pem = authority.pem();
        return std::make_shared<security::TlsContext>(std::move(tls));
    }
    concentrator::Identity identity() const {
        auto request = security::make_request(concentrator_number);
        const auto facts = std::get<security::CertificateFacts>(
            authority.sign(request.request_der, concentrator_number, real_now()));
        return {concentrator_number, std::move(request.key_pem), security::certificate_pem(facts.der),
                authority.pem(), Key128{}};
    }
    security::Folder folder;
    security::CertificateAuthority authority = security::CertificateAuthority::create("Test", real_now());
    headend::console::ConsoleSettings door;
};

/// Keeps every octet that is inside of the concentrator's uplink.
struct Witness final : headend::frontend::Tap {
    void opened(const headend::frontend::TappedLink&, const std::string&, Instant) override {}
    void received(const headend::frontend::TappedLink&, Bytes octets, Instant) override { keep(octets); }
    void sent(const headend::frontend::TappedLink&, Bytes octets, Instant) override { keep(octets); }
    void closed(const headend::frontend::TappedLink&, const std::string&, Instant) override {}
    void keep(Bytes octets) {
        const std::lock_guard lock{mutex};
        seen.insert(seen.end(), octets.begin(), octets.end());
    }
    Buffer all() {
        const std::lock_guard lock{mutex};
        return seen;
    }
    std::mutex mutex;
    Buffer seen;
};

/// The whole road but the mesh: vending with its database and module, a front-end and a concentrator on real
/// sockets with TLS (in one loop on a thread of its own), a serial cable to the machine. The machine is the
/// test's thread.
class Road {
public:
    explicit Road(bool connects_machines = true)
        : counter({}, papers.door), connects_(connects_machines), identity_(papers.folder.path / "unit") {
        counter.service->set_ready();
        identity_.store(papers.identity());
        town_ = std::thread{[this] { live(); }};
        started_.get_future().get();
        wait_for([this] { return logged_in(); });
    }
    ~Road() {
        loop_->stop();
        town_.join();
    }
    /// The uplink goes: the front-end is gone from its port.
    void cut() {
        in_town([this] { down(); });
    }
    void mend() {
        in_town([this] { up(); });
        wait_for([this] { return logged_in(); });
    }
    sim::MachineTalkSettings serial() const {
        auto settings = whoever();
        settings.serial = {.device = cable.machine(), .baud = 115'200, .parity = platform::Parity::none};
        return settings;
    }
    sim::MachineTalkSettings ethernet() const {
        auto settings = whoever();
        settings.via = platform::HostPort{"127.0.0.1", machine_port_};
        return settings;
    }
    std::uint16_t machine_port() const { return machine_port_; }
    std::filesystem::path order_file() const { return papers.folder.path / "order"; }
    /// Runs it on the town's thread and waits.
    void in_town(const std::function<void()>& what) {
        std::promise<void> done;
        loop_->post([&] {
            what();
            done.set_value();
        });
        done.get_future().get();
    }
    static void wait_for(const std::function<bool()>& what) {
        const auto until = std::chrono::steady_clock::now() + 60s;
        while (!what()) {
            REQUIRE(std::chrono::steady_clock::now() < until);
            std::this_thread::sleep_for(5ms);
        }
    }
    bool logged_in() {
        bool ready = false;
        in_town([&] {
            for (const auto& session : core_->sessions())
                ready = ready || session.phase == headend::frontend::Phase::ready;
        });
        return ready;
    }
    /// Begun or ended, or ended well.
    long long sales(bool issued = true) {
        return counter.shop.value(std::string{"select count(*) from sale where kind = 'sale'"} +
                                  (issued ? " and state = 'issued'" : ""));
    }

    Papers papers;
    Counter counter;
    LinePair cable;
    Witness witness;

private:
    struct NoEnroller : headend::frontend::Enroller {
        void enrol(headend::frontend::EnrolmentRequest, Instant,
                   std::function<void(headend::frontend::EnrolmentAnswer)> done) override {
            done(headend::frontend::EnrolmentRefusal{"not here"});
        }
    };
    sim::MachineTalkSettings whoever() const {
        sim::MachineTalkSettings settings;
        settings.ca_pem = papers.authority.pem();
        settings.name = "vending.test";
        settings.token = counter.operator_;
        return settings;
    }
    void live() {
        loop_ = std::make_unique<platform::Loop>(std::make_shared<platform::ScaledClock>());
        security::OpensslCiphers ciphers;
        security::SystemRandom random;
        random_ = &random;
        headend::frontend::MemoryStore store;
        core_ = std::make_unique<headend::frontend::Core>(headend::frontend::CoreSettings{}, store, store,
                                                          store, ciphers, random);
        core_->listen_in(&witness);
        up();
        platform::Timer completions{*loop_};
        const std::function<void()> complete = [&] {
            if (store.complete() && listener_) listener_->pump_soon();
            completions.after_real(2ms, complete);
        };
        complete();
        concentrator::StationSettings settings{{{"127.0.0.1", uplink_port_}}, {"127.0.0.1", 9}};
        settings.machines.listen = platform::HostPort{"127.0.0.1", 0};
        settings.machines.serial = {
            .device = cable.concentrator(), .baud = 115'200, .parity = platform::Parity::none};
        concentrator::Station station{*loop_, settings, *identity_.load(), identity_, ciphers, random};
        station.start();
        machine_port_ = station.machine_port();
        loop_->post([this] { started_.set_value(); });
        loop_->run();
        down();
        core_.reset();
    }
    void up() {
        headend::frontend::ListenerSettings settings;
        settings.port = uplink_port_;
        listener_ = std::make_unique<headend::frontend::Listener>(*loop_, settings, papers.uplink(), *core_,
                                                                  enroller_);
        uplink_port_ = listener_->port();
        listener_->start();
        std::optional<platform::HostPort> vending;
        if (connects_) vending = platform::HostPort{"127.0.0.1", counter.service->machine_port()};
        door_ = std::make_unique<headend::frontend::VendingDoor>(*loop_, *random_, vending, *core_, [this] {
            if (listener_) listener_->pump_soon();
        });
    }
    void down() {
        core_->disconnect(concentrator_number, "cut by the test");
        listener_.reset();
        door_.reset();
    }

    const bool connects_;
    concentrator::IdentityFiles identity_;
    NoEnroller enroller_;
    Random* random_ = nullptr;
    std::unique_ptr<platform::Loop> loop_;
    std::unique_ptr<headend::frontend::Core> core_;
    std::unique_ptr<headend::frontend::Listener> listener_;
    std::unique_ptr<headend::frontend::VendingDoor> door_;
    std::uint16_t uplink_port_ = 0, machine_port_ = 0;
    std::promise<void> started_;
    std::thread town_;
};

}  // namespace wattmesh::test
