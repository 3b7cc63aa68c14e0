#include "concentrator/program/station.h"

#include "security/private_file.h"

namespace wattmesh::concentrator {
namespace {

constexpr std::size_t disk_queue_max = 4'096;
constexpr const char* ethernet = "ethernet";
constexpr const char* cellular = "cellular";
constexpr std::chrono::seconds cellular_attempt_max{90};
// The core waits between calls; this connector makes one attempt and is thrown away.
constexpr Duration one_attempt = std::chrono::hours{24 * 365};

JournalId new_journal_id(Random& random) {
    JournalId id;
    random.fill(id.octets);
    return id;
}

platform::ConnectorSettings radio_settings(const platform::HostPort& radio) {
    platform::ConnectorSettings settings;
    settings.host = radio.host;
    settings.port = radio.port;
    settings.wait_max = std::chrono::seconds{10};
    return settings;
}

}  // namespace

Station::Station(platform::Loop& loop, StationSettings settings, Identity identity, IdentityFiles& files,
                 Ciphers& ciphers, Random& random)
    : loop_(loop),
      settings_(std::move(settings)),
      identity_(std::move(identity)),
      files_(files),
      random_(random),
      start_(std::chrono::steady_clock::now()),
      office_(identity_.number, identity_.ca_pem),
      tls_(uplink_context(identity_.key_pem, identity_.certificate_pem, identity_.ca_pem)),
      database_(files.journal().string(), new_journal_id(random)),
      disk_(loop, 1, disk_queue_max),
      executor_(disk_, [this] { pump(); }),
      store_(database_, executor_,
             [this](const char* what) {
                 log_.error("could not write the journal reason={}", platform::quoted(what));
             }),
      core_(core_settings(), store_, database_.recovered(), ciphers, random),
      timer_(loop),
      radio_(loop, random, radio_settings(settings_.radio)),
      machines_(loop, settings_.machines, core_, [this] { return elapsed(); }, [this] { pump(); }) {}

Station::~Station() { disk_.stop(); }

CoreSettings Station::core_settings() {
    CoreSettings settings;
    settings.number = identity_.number;
    settings.uplink.ways.ways.clear();
    for (const char* bearer : {ethernet, cellular}) {
        if (bearer == cellular && !settings_.modem) continue;
        for (const auto& address : settings_.headends)
            settings.uplink.ways.ways.push_back({bearer, address.host + ":" + std::to_string(address.port)});
    }
    settings.kek = identity_.kek;
    settings.certificate_request = [this] { return office_.request(); };
    settings.install_certificate = [this](const Buffer& der, const std::function<void(bool)>& done) {
        install_certificate(der, done);
    };
    return settings;
}

Duration Station::elapsed() const {
    const std::chrono::duration<double, std::micro> real = std::chrono::steady_clock::now() - start_;
    return Duration{static_cast<std::int64_t>(real.count() * settings_.speed)};
}

void Station::start() {
    connect_radio();
    start_modem();
    machines_.start();
    pump();
}

void Station::start_modem() {
    if (!settings_.modem) return;
    core_.uplink_bearer(cellular, false, elapsed());
    modem_ = std::make_unique<platform::Cellular>(loop_, *settings_.modem);
    modem_->start([this] { look_at_modem(); });
}

void Station::look_at_modem() {
    const auto& modem = modem_->modem();
    dcu::CellularState state{.state = std::string{modem::to_string(modem.state())},
                             .operator_name = modem.operator_name(),
                             .registration = static_cast<dcu::Registration>(modem.network()),
                             .redials = modem.counts().redials,
                             .restarts = modem.counts().restarts,
                             .resets = modem.counts().resets};
    if (const auto dbm = modem.signal_dbm()) state.signal_dbm = static_cast<std::int8_t>(*dbm);
    core_.uplink_cellular(std::move(state));
    core_.uplink_bearer(cellular, modem.state() == modem::ModemState::ready, elapsed());
    pump();
}

void Station::connect_radio() {
    const auto& radio = settings_.radio;
    radio_.start({.on_open =
                      [this, radio](platform::Link&) {
                          log_.information("opened radio module address={}:{}", radio.host, radio.port);
                          radio_.settled();
                          core_.radio_connected(elapsed());
                          pump();
                      },
                  .on_bytes =
                      [this](Bytes bytes) {
                          core_.radio_received(bytes, elapsed());
                          pump();
                      },
                  .on_closed =
                      [this, radio](const std::string& reason, Duration) {
                          log_.warning("lost radio module address={}:{} reason={}", radio.host, radio.port,
                                       platform::quoted(reason));
                      }});
}

platform::ConnectorSettings Station::uplink_settings(std::size_t way) {
    platform::ConnectorSettings settings;
    const auto& address = settings_.headends[way % settings_.headends.size()];
    settings.host = address.host;
    settings.port = address.port;
    if (way >= settings_.headends.size()) {
        settings.attempt_real_max = cellular_attempt_max;
        settings.dial = [this](const std::string& host, std::uint16_t port,
                               platform::ConnectorSettings::Dialled done) {
            modem_->dial(host, port, std::move(done));
        };
    }
    settings.tls = tls_;
    settings.wait_min = settings.wait_max = one_attempt;
    settings.certificate_time = [this]() -> std::optional<Instant> {
        if (!core_.clock().trusted()) return std::nullopt;
        return core_.clock().at(elapsed()).utc;
    };
    return settings;
}

/// Whether the head-end there has come back: the handshake is enough, and nobody is logged in.
void Station::probe_uplink(std::size_t way) {
    probe_ = std::make_unique<platform::Connector>(loop_, random_, uplink_settings(way));
    const auto answered = [this, way](bool well) {
        probe_->stop();
        core_.uplink_probed(way, well, elapsed());
        pump();
    };
    probe_->start({.on_open = [answered](platform::Link&) { answered(true); },
                   .on_bytes = {},
                   .on_closed = [answered](const std::string&, Duration) { answered(false); }});
}

void Station::open_uplink(std::size_t way) {
    uplink_ = std::make_unique<platform::Connector>(loop_, random_, uplink_settings(way));
    uplink_->start({.on_open =
                        [this](platform::Link& link) {
                            log_.information("opened uplink headend={}", link.peer_address());
                            core_.uplink_opened(elapsed());
                            pump();
                        },
                    .on_bytes =
                        [this](Bytes bytes) {
                            core_.uplink_received(bytes, elapsed());
                            pump();
                        },
                    .on_closed =
                        [this](const std::string& reason, Duration) {
                            core_.uplink_closed(reason, elapsed());
                            pump();
                        }});
}

void Station::pump() {
    if (pumping_) return;
    pumping_ = true;
    core_.tick(elapsed());
    while (const auto action = core_.take_action()) perform(*action);
    pumping_ = false;
    const Duration next = core_.next_deadline();
    if (next == Duration::max()) return timer_.cancel();
    timer_.after(std::max(next - elapsed(), Duration{0}), [this] { pump(); });
}

void Station::perform(const Action& action) {
    if (const auto* call = std::get_if<OpenUplink>(&action)) open_uplink(call->way);
    if (const auto* probe = std::get_if<ProbeUplink>(&action)) probe_uplink(probe->way);
    if (std::holds_alternative<CloseUplink>(action) && uplink_) uplink_->stop();
    machines_.perform(action);
    if (const auto* note = std::get_if<Note>(&action)) log_.information("{}", note->text);
    if (const auto* out = std::get_if<SendRadio>(&action)) {
        if (auto* link = radio_.link()) link->send(out->bytes);
    }
    if (const auto* out = std::get_if<SendUplink>(&action)) {
        auto* link = uplink_ ? uplink_->link() : nullptr;
        if (link == nullptr || link->send(out->bytes)) return;
        uplink_->stop();
        core_.uplink_closed("the head-end does not take our octets", elapsed());
    }
}

void Station::install_certificate(const Buffer& der, const std::function<void(bool)>& done) {
    const auto renewed = office_.accept(der);
    if (!renewed) return done(false);
    try {
        files_.store_certificate(renewed->key_pem, renewed->certificate_pem);
    } catch (const security::FileError& error) {
        log_.error("could not keep the new certificate reason={}", platform::quoted(error.what()));
        return done(false);
    }
    identity_.key_pem = renewed->key_pem;
    identity_.certificate_pem = renewed->certificate_pem;
    tls_ = uplink_context(identity_.key_pem, identity_.certificate_pem, identity_.ca_pem);
    log_.information("renewed the certificate; the next call uses it");
    done(true);
}

}  // namespace wattmesh::concentrator
