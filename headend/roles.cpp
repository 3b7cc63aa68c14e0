#include "headend/roles.h"
#include "headend/monitor/alarm_watch.h"
#include "headend/monitor/audit_sealer.h"

#include <algorithm>
#include <fstream>
#include <sstream>

#include "headend/database/bus_units.h"
#include "headend/database/concentrators.h"
#include "headend/database/pg_callers.h"
#include "headend/database/pg_store.h"
#include "headend/frontend/vending_door.h"
#include "headend/job_desks.h"
#include "headend/link_tap.h"
#include "headend/meter_ca.h"

namespace wattmesh::headend {
namespace {

constexpr std::size_t frontend_threads = 3, monitor_threads = 2, waiting_max = 256;
constexpr std::chrono::milliseconds direct_tick_real{200};
constexpr std::chrono::seconds dial_again{60};

std::string read_text(const std::filesystem::path& file, const char* key) {
    std::ifstream in{file};
    std::ostringstream text;
    if (!(text << in.rdbuf())) {
        throw platform::SettingsError(std::string{key} + " = " + file.string() +
                                      ": cannot be read; `headend init` makes it");
    }
    return text.str();
}

std::shared_ptr<const security::TlsContext> uplink_tls(
    const HeadendSettings& settings, std::function<bool(const security::CertificateFacts&)> revoked) {
    security::TlsSettings tls;
    tls.role = security::TlsRole::server;
    tls.certificate_pem = read_text(settings.uplink_certificate, "uplink.certificate");
    tls.key_pem = security::read_private_file(settings.uplink_key);
    tls.ca_pem = read_text(settings.ca_certificate, "pki.ca_certificate");
    tls.protocols = {std::string{security::uplink_protocol}, std::string{security::enrolment_protocol}};
    tls.protocols_without_certificate = {std::string{security::enrolment_protocol}};
    tls.revoked = std::move(revoked);
    return std::make_shared<security::TlsContext>(std::move(tls));
}

/// For devices of other makes: their certificates are none of ours, so that none is asked for.
std::shared_ptr<const security::TlsContext> callers_tls(const HeadendSettings& settings) {
    const auto wants = [](const auto& port) { return port.tls != frontend::CallerTls::off; };
    if (std::ranges::none_of(settings.caller_ports, wants)) return nullptr;
    security::TlsSettings tls;
    tls.role = security::TlsRole::server;
    tls.certificate_pem = read_text(settings.uplink_certificate, "uplink.certificate");
    tls.key_pem = security::read_private_file(settings.uplink_key);
    tls.ca_pem = read_text(settings.ca_certificate, "pki.ca_certificate");
    tls.protocols = {};
    tls.without_protocol = true;
    return std::make_shared<security::TlsContext>(std::move(tls));
}

}  // namespace

/// Through the front-end of this process, where there is one.
static monitor::Carry carry_over(Plant& plant) {
    return [&plant](DeviceNumber concentrator, DeviceNumber meter, Sap client, Buffer apdu,
                    frontend::Relay::Done done) {
        if (plant.core == nullptr) return done({frontend::RelayStatus::offline, {}});
        if (concentrator == meter)
            return plant.callers->carry(meter, client, std::move(apdu), std::move(done));
        plant.core->relay(concentrator, meter, std::move(apdu), std::move(done), client);
    };
}

Plant::Plant(HeadendSettings checked, std::shared_ptr<const platform::Clock> shared_clock)
    : settings(std::move(checked)),
      clock(std::move(shared_clock)),
      loop(clock),
      master(security::open_master_key(settings.master_key)),
      log("headend"),
      live(loop) {}

void Plant::pump() {
    if (listener != nullptr) listener->pump_soon();
    if (caller_listener != nullptr) caller_listener->pump_soon();
}

DatabaseWorkers::DatabaseWorkers(Plant& plant, const std::string& role, std::size_t threads)
    : plant_(plant),
      workers_(plant.loop, threads, waiting_max),
      queue_(
          plant.settings.database.as(role), threads, *this,
          [&plant](std::function<void()> completion) {
              plant.loop.post([&plant, completion = std::move(completion)] {
                  completion();
                  plant.pump();
              });
          },
          [](const std::string& line) { platform::Log{"database"}.warning("{}", line); }) {}

bool DatabaseWorkers::try_post(std::function<void()> job, Completion completion) {
    return workers_.try_post(std::move(job),
                             [this, completion = std::move(completion)](std::exception_ptr fault) {
                                 completion(std::move(fault));
                                 plant_.pump();
                             });
}

FrontendRole::FrontendRole(Plant& plant) : plant_(plant) {}
MonitorRole::MonitorRole(Plant& plant) : plant_(plant) {}

struct FrontendRole::Parts {
    explicit Parts(Plant& plant)
        : workers(plant, "wm_frontend", frontend_threads),
          queue(workers.queue()),
          store(queue),
          desired(queue),
          images(queue),
          authority(
              std::make_shared<const security::CertificateAuthority>(security::CertificateAuthority::open(
                  read_text(plant.settings.ca_certificate, "pki.ca_certificate"),
                  security::read_private_file(plant.settings.ca_key)))),
          certificates(queue, authority, *plant.master, plant.random,
                       [&plant](DeviceNumber) {
                           if (plant.monitor != nullptr) plant.monitor->refresh_soon();
                       }),
          trace(LinkTrace::wanted(plant.settings.trace, plant.clock->now())),
          core(plant.settings.core, store, desired, certificates, plant.ciphers, plant.random),
          directory(queue),
          callers(plant.settings.callers, directory, store, plant.caller_desk, plant.ciphers, plant.random),
          revocations(plant.loop, queue,
                      [this](DeviceNumber number) {
                          core.disconnect(number, "the concentrator was revoked");
                          callers.disconnect(number, "the device was revoked");
                      }),
          listener(plant.loop, plant.settings.uplink,
                   uplink_tls(plant.settings,
                              [this](const security::CertificateFacts& facts) {
                                  return revocations.refuses(facts);
                              }),
                   core, certificates),
          caller_listener(plant.loop, plant.settings.caller_ports, callers_tls(plant.settings), callers),
          dialler(plant.loop, plant.random, callers, [this] { caller_listener.pump(); }),
          dial_timer(plant.loop),
          door(plant.loop, plant.random, plant.settings.uplink_vending, core,
               [this] { listener.pump_soon(); }) {
        caller_listener.join(&dialler);
        core.supply_images(images);
        if (!trace) return;
        core.listen_in(&trace->uplinks);
        callers.listen_in(&trace->callers);
    }

    DatabaseWorkers workers;
    database::QueryQueue& queue;
    database::PgStore store;
    DesiredObjects desired;
    FirmwareImages images;
    std::shared_ptr<const security::CertificateAuthority> authority;
    ConcentratorCertificates certificates;
    std::unique_ptr<LinkTrace> trace;  ///< null: nothing is kept
    frontend::Core core;
    database::PgCallers directory;
    frontend::CallerCore callers;
    Revocations revocations;
    frontend::Listener listener;
    frontend::CallerListener caller_listener;
    frontend::CallerDialler dialler;
    platform::Timer dial_timer;
    frontend::VendingDoor door;
};

FrontendRole::~FrontendRole() = default;

void FrontendRole::initialize(Poco::Util::Application&) {
    parts_ = std::make_unique<Parts>(plant_);
    plant_.listener = &parts_->listener;
    plant_.core = &parts_->core;
    plant_.caller_listener = &parts_->caller_listener;
    plant_.callers = &parts_->callers;
    plant_.store = &parts_->store;
    // Concentrators that were online when an earlier process ended, in its or our crash, go offline unless
    // they come back.
    parts_->queue.run(
        [](database::Connection& connection) { return database::Concentrators{connection}.all(); },
        [this](std::optional<std::vector<database::Concentrator>> known) {
            if (!known || !parts_) return;
            for (const auto& concentrator : *known) {
                if (concentrator.link != database::LinkState::online) continue;
                if (concentrator.road == database::Road::direct)
                    parts_->callers.expect(concentrator.number, concentrator.owner_epoch, plant_.loop.now());
                else
                    parts_->core.expect(concentrator.number, concentrator.owner_epoch, plant_.loop.now());
            }
        });
    parts_->revocations.start();
    parts_->listener.start();
    parts_->caller_listener.start();
    if (plant_.settings.dials) dial();
}

/// Who is registered with an address may change at any time.
void FrontendRole::dial() {
    parts_->queue.run(
        [](database::Connection& connection) { return database::BusUnits{connection}.dialled(); },
        [this](const std::optional<std::vector<database::DialledBus>>& buses) {
            if (!parts_ || !buses) return;
            std::vector<frontend::CallerDialler::Place> places;
            for (const auto& bus : *buses) {
                const auto colon = bus.address.rfind(':');
                places.push_back({bus.number,
                                  {bus.address.substr(0, colon),
                                   static_cast<std::uint16_t>(std::stoi(bus.address.substr(colon + 1)))}});
            }
            parts_->dialler.set(places);
        });
    parts_->dial_timer.after(dial_again, [this] { dial(); });
}

void FrontendRole::uninitialize() {
    if (!parts_) return;
    plant_.listener = nullptr;
    plant_.core = nullptr;
    plant_.caller_listener = nullptr;
    plant_.callers = nullptr;
    plant_.store = nullptr;
    parts_->dial_timer.cancel();
    parts_->caller_listener.join(nullptr);
    parts_->dialler.stop();
    parts_->caller_listener.stop();
    parts_->revocations.stop();
    parts_->listener.stop();
    parts_.reset();
}

struct MonitorRole::Parts {
    explicit Parts(Plant& plant)
        : workers(plant, "wm_monitor", monitor_threads),
          bulk_workers(plant, "wm_monitor", 1),
          queue(workers.queue()),
          horizon(plant.settings.counters),
          counters(queue, horizon),
          meter_ca(plant.settings.meter_pki),
          security(
              *plant.master,
              [this](int suite, security::CertificateUse use) { return meter_ca.own_key(suite, use); },
              plant.random),
          keys({.own_title = monitor::own_title, .caps = plant.settings.disconnects}, queue, security,
               counters, plant.ciphers, [&plant] { return plant.loop.now(); }),
          on_demand(
              {}, keys, carry_over(plant), [&plant] { return plant.loop.now(); }, plant.ciphers,
              plant.random),
          desk(monitor::own_title, queue, security, counters, plant.ciphers,
               [&plant] { return plant.loop.now(); }),
          rotator(
              {}, desk, keys, on_demand, carry_over(plant), [&plant] { return plant.loop.now(); },
              plant.ciphers, plant.random),
          rotations(plant.loop, {}, queue, rotator),
          sealer(plant.loop, queue, database::AuditMark{plant.settings.counters}),
          alarms(plant.loop, queue),
          relay(keys, on_demand, carry_over(plant), plant.ciphers, plant.random),
          meters(plant, queue, keys, on_demand, relay, carry_over(plant)),
          deliveries(plant, queue, keys, on_demand, relay, carry_over(plant)),
          direct_tick(plant.loop),
          bus_wake(plant.loop),
          monitor(plant.loop, plant.settings.monitor, queue, bulk_workers.queue(), *plant.master,
                  plant.ciphers, [&plant](DeviceNumber number) {
                      if (plant.core != nullptr) plant.core->configure(number);
                  }) {}

    DatabaseWorkers workers, bulk_workers;
    database::QueryQueue& queue;
    database::CounterHorizon horizon;
    database::CounterBlocks counters;
    MeterCa meter_ca;
    monitor::MeterSecurity security;
    monitor::PgKeyService keys;
    monitor::OnDemand on_demand;
    monitor::PgRotationDesk desk;
    monitor::KeyRotator rotator;
    monitor::RotationWork rotations;
    monitor::AuditSealer sealer;
    monitor::AlarmWatch alarms;
    monitor::RelayDesk relay;
    MeterDesk meters;
    DeliveryDesk deliveries;
    std::optional<monitor::DirectReading> direct;       ///< while there is a front-end in this process
    std::optional<monitor::ModbusReading> buses;        ///< likewise
    std::optional<monitor::TerminalReading> terminals;  ///< likewise
    platform::Timer direct_tick, bus_wake;
    monitor::Monitor monitor;
};

MonitorRole::~MonitorRole() = default;

void MonitorRole::initialize(Poco::Util::Application&) {
    parts_ = std::make_unique<Parts>(plant_);
    plant_.monitor = &parts_->monitor;
    plant_.on_demand = &parts_->on_demand;
    if (plant_.core != nullptr) plant_.live.connect(*plant_.listener, *plant_.core, parts_->on_demand);
    parts_->monitor.start();
    parts_->rotations.start();
    parts_->sealer.start();
    parts_->alarms.start();
    parts_->meters.start();
    parts_->deliveries.start();
    if (plant_.store != nullptr) read_direct_meters();
}

void MonitorRole::read_direct_meters() {
    Parts& parts = *parts_;
    Plant& plant = plant_;
    parts.direct.emplace(
        plant.settings.direct,
        monitor::DirectReading::Ports{
            .on_demand = parts.on_demand,
            .keys = parts.keys,
            .store = *plant.store,
            .put = [&queue = parts.queue](
                       DeviceNumber meter, const monitor::PushedValue& value, Instant at,
                       const char* source) { put_register(queue, meter, value, at, source); },
            .superseded =
                [&plant](DeviceNumber meter, OwnerEpoch epoch) {
                    if (plant.callers != nullptr) plant.callers->superseded(meter, epoch);
                },
            .log = [](const std::string& line) { platform::Log{"direct"}.warning("failed {}", line); },
            .now = [&plant] { return plant.loop.now(); }});
    plant.caller_desk.reading = &*parts.direct;
    poll_buses();
    read_terminals();
    tick_direct();
}

void MonitorRole::poll_buses() {
    Parts& parts = *parts_;
    Plant& plant = plant_;
    parts.buses.emplace(
        plant.settings.modbus,
        monitor::ModbusReading::Ports{
            .meters =
                [&queue = parts.queue, &plant](DeviceNumber bus, auto done) {
                    queue.run(
                        [bus, now = plant.loop.now()](database::Connection& connection) {
                            return database::BusUnits{connection}.of(bus, now);
                        },
                        std::move(done));
                },
            .carry =
                [&plant](DeviceNumber bus, std::uint8_t unit, Buffer pdu, frontend::Relay::Done done) {
                    if (plant.callers == nullptr) return done({frontend::RelayStatus::offline, {}});
                    plant.callers->carry(bus, Sap{unit}, std::move(pdu), std::move(done));
                    plant.caller_listener->pump_soon();
                },
            .store = *plant.store,
            .superseded =
                [&plant](DeviceNumber bus, OwnerEpoch epoch) {
                    if (plant.callers != nullptr) plant.callers->superseded(bus, epoch);
                },
            .moved = [this] { wake_buses(); },
            .log = [](const std::string& line) { platform::Log{"modbus"}.warning("{}", line); },
            .now = [&plant] { return plant.loop.now(); }});
    plant.caller_desk.polling = &*parts.buses;
}

void MonitorRole::read_terminals() {
    Parts& parts = *parts_;
    Plant& plant = plant_;
    parts.terminals.emplace(
        plant.settings.terminals,
        monitor::TerminalReading::Ports{
            .meters =
                [&queue = parts.queue, &plant](DeviceNumber terminal, auto done) {
                    queue.run(
                        [terminal, now = plant.loop.now()](database::Connection& connection) {
                            return database::BusUnits{connection}.of(terminal, now);
                        },
                        std::move(done));
                },
            .carry =
                [&plant](DeviceNumber terminal, Buffer frame, frontend::Relay::Done done) {
                    if (plant.callers == nullptr) return done({frontend::RelayStatus::offline, {}});
                    plant.callers->carry(terminal, Sap{}, std::move(frame), std::move(done));
                    plant.caller_listener->pump_soon();
                },
            .store = *plant.store,
            .put = [&queue = parts.queue](
                       DeviceNumber meter, const monitor::PushedValue& value, Instant at,
                       const char* source) { put_register(queue, meter, value, at, source); },
            .superseded =
                [&plant](DeviceNumber terminal, OwnerEpoch epoch) {
                    if (plant.callers != nullptr) plant.callers->superseded(terminal, epoch);
                },
            .log = [](const std::string& line) { platform::Log{"gdw376"}.warning("{}", line); },
            .now = [&plant] { return plant.loop.now(); }});
    plant.caller_desk.terminals = &*parts.terminals;
    parts.on_demand.read_otherwise([&terminals = *parts.terminals](DeviceNumber meter,
                                                                   const dlms::AttributeId& id,
                                                                   const monitor::OnDemand::Done& done) {
        return terminals.read(meter, id, done);
    });
}

void MonitorRole::wake_buses() {
    parts_->bus_wake.at(parts_->buses->wake(), [this] {
        parts_->buses->tick(plant_.loop.now());
        wake_buses();
    });
}

void MonitorRole::tick_direct() {
    parts_->direct->tick(plant_.loop.now());
    parts_->buses->tick(plant_.loop.now());
    parts_->terminals->tick(plant_.loop.now());
    plant_.pump();
    parts_->direct_tick.after_real(direct_tick_real, [this] { tick_direct(); });
}

void MonitorRole::uninitialize() {
    if (!parts_) return;
    plant_.monitor = nullptr;
    plant_.on_demand = nullptr;
    plant_.caller_desk.reading = plant_.caller_desk.polling = plant_.caller_desk.terminals = nullptr;
    parts_->bus_wake.cancel();
    parts_->direct_tick.cancel();
    parts_->deliveries.stop();
    parts_->rotations.stop();
    parts_->sealer.stop();
    parts_->alarms.stop();
    parts_->meters.stop();
    parts_->monitor.stop();
    parts_.reset();
}

}  // namespace wattmesh::headend
