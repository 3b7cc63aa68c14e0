#include "platform/log.h"
#include "platform/main_guard.h"
#include "security/ciphers.h"
#include "terminal-sim/field/field_state.h"
#include "terminal-sim/field/json_file.h"
#include "terminal-sim/field/line_port.h"
#include "terminal-sim/field/shipment.h"
#include "terminal-sim/meter/access.h"
#include "terminal-sim/meter/bench_port.h"
#include "terminal-sim/meter/held_keys.h"
#include "terminal-sim/meter/keypad.h"
#include "terminal-sim/meter/push_port.h"
#include "terminal-sim/tool/command.h"
#include "terminal-sim/tool/keys.h"
#include "terminal-sim/tool/prepaid_options.h"
#include "terminal-sim/tool/running.h"
#include "terminal-sim/tool/security_options.h"
#include "terminal-sim/tool/session_options.h"

namespace wattmesh::sim {
namespace {

AccessKeys keys_of(const platform::Settings& settings, const DeviceNumber& number) {
    AccessKeys keys;
    if (settings.has("keys")) {
        const auto file = settings.required<std::filesystem::path>("keys");
        const Shipment shipment = read_shipment(file);
        const auto found = shipment.find(number);
        if (found == shipment.end()) throw file_trouble(file, "has no meter " + to_string(number));
        keys.management = found->second.management;
        keys.lls_password = found->second.lls_password;
    }
    const auto security = security_options(settings);
    if (auto management = management_keys(settings, security.suite)) keys.management = std::move(management);
    keys.suite = security.suite;
    keys.form = security.form;
    keys.hls_secret = security.hls_secret;
    if (settings.has("secret"))
        keys.lls_password = to_buffer(as_bytes(settings.required<std::string>("secret")));
    return keys;
}

BenchLimits limits_of(const platform::Settings& settings, const MeterSettings& meter) {
    BenchLimits limits;
    limits.hdlc_window = static_cast<std::uint8_t>(settings.optional_in<int>("window", 7, 1, 7));
    limits.hdlc_information =
        static_cast<std::uint16_t>(settings.optional_in<int>("information", 2'030, 32, 2'030));
    limits.device_address = to_string(meter.number);
    limits.echo = settings.optional<bool>("echo", false);
    limits.gateway = gateway_of(settings);
    limits.quirks = meter.quirks;
    return limits;
}

/// How the meter pushes from the factory.
cosem::push_setup::Destination push_destination(const platform::Settings& settings) {
    cosem::push_setup::Destination destination;
    const auto link = push_link(settings.optional<std::string>("push-link", "wrapper"));
    if (!link) throw platform::SettingsError(std::string{"--push-link: is none of "} + push_link_words);
    destination.transport_service = service_of(*link);
    const auto to = settings.optional<std::string>("push", "");
    destination.destination = to_buffer(as_bytes(to));
    if (!to.empty() && !destination_of(destination.destination))
        throw platform::SettingsError("--push " + to + ": is not HOST:PORT");
    return destination;
}

PushPort::Settings push_settings(const platform::Settings& settings, const BenchLimits& limits) {
    return {
        .pdu_size_max = static_cast<std::size_t>(settings.optional_in<int>("push-pdu", 65'535, 48, 65'535)),
        .information_size = limits.hdlc_information,
        .gateway = limits.gateway,
        .quirks = limits.quirks};
}

/// Number, kind and model, and what the factory set.
MeterSettings meter_of(const platform::Settings& settings) {
    const auto word = settings.required<std::string>("number");
    const auto number = DeviceNumber::parse(word);
    if (!number)
        throw platform::SettingsError("--number " + word + ": a device number has twelve decimal digits");
    const auto kind = load_kind(settings.optional<std::string>("kind", "household"));
    if (!kind || *kind == LoadKind::summary)
        throw platform::SettingsError("--kind: is none of household, shop, factory");
    MeterSettings made{.number = *number, .kind = *kind, .seed = settings.optional<std::uint32_t>("seed", 1)};
    made.model = &model_of(settings);
    made.quirks = quirks_of(settings, *made.model);
    made.push_destination = push_destination(settings);
    made.prepaid = prepaid_of(settings);
    if (made.prepaid && made.model->reconnection == cosem::Reconnection::by_command)
        made.prepaid->reconnection = cosem::Reconnection::by_command;
    if (made.prepaid && made.kind != LoadKind::household)
        throw platform::SettingsError("--pan: only a household's meter has a breaker to sell by token");
    if (settings.has("keypad") && !made.prepaid)
        throw platform::SettingsError("--keypad: a meter without --pan has none");
    made.security_policy = static_cast<std::uint8_t>(settings.optional_in<int>("policy", 0x6C, 0, 0xFC));
    return made;
}

/// Keeps the meter's deeds in its state folder and captures rows when they are due.
class Housekeeping {
public:
    Housekeeping(platform::Loop& loop, Meter& meter, std::filesystem::path file, Instant installed_at)
        : loop_(loop),
          meter_(meter),
          file_(std::move(file)),
          installed_at_(installed_at),
          capture_(loop),
          save_(loop) {
        saved_ = meter.deeds().size();
        write();
        capture();
        watch();
    }
    void write() {
        FieldState state{installed_at_, {}};
        state.devices[meter_.settings().number].deeds = meter_.deeds();
        const Buffer content = encode(state);
        write_private_file(file_, std::string(content.begin(), content.end()));
        saved_ = meter_.deeds().size();
    }

private:
    void capture() {
        meter_.advance(loop_.now());
        capture_.at(meter_.next_event(), [this] { capture(); });
    }
    void watch() {
        if (meter_.deeds().size() != saved_) {
            write();
            capture();  // a schedule may have been written
        }
        save_.after_real(std::chrono::milliseconds{200}, [this] { watch(); });
    }

    platform::Loop& loop_;
    Meter& meter_;
    std::filesystem::path file_;
    Instant installed_at_;
    std::size_t saved_;
    platform::Timer capture_, save_;
};

}  // namespace

int run_meter(const Call& call) {
    const auto& settings = call.settings;
    platform::start_log(settings.optional<std::string>("log", "information"));
    platform::forbid_memory_dumps();
    const platform::Log log{"meter"};
    const auto link = link_of(settings);
    const auto port = settings.required_in<std::uint16_t>("port", 0, 65535);
    const auto clock = clock_of(settings);
    MeterSettings made = meter_of(settings);
    const DeviceNumber number = made.number;
    const BenchLimits limits = limits_of(settings, made);
    AccessKeys keys = keys_of(settings, number);
    if (!keys.management)
        log.warning("serving no management client reason=\"neither --ek and --ak nor --keys given\"");
    if (keys.lls_password.empty())
        log.warning("serving no reading client reason=\"neither --secret nor --keys given\"");

    const auto state_home =
        std::filesystem::path{call.state_home} / "wattmesh" / ("meter-" + to_string(number));
    const auto folder = settings.optional<std::filesystem::path>("state", state_home);
    std::filesystem::create_directories(folder);
    CounterFile counters{folder / "counters", number.integer(), 2};
    std::optional<security::CertificateFolder> certificates;
    if (keys.suite != dlms::Suite::zero) {
        certificates.emplace(settings.optional<std::filesystem::path>("pki", folder / "pki"),
                             system_title(number), dlms::curve_of(keys.suite),
                             [clock] { return clock->now(); });
        keys.certificates = made.certificates = &*certificates;
        dlms::SecuritySettings scratch;
        if (keys.form.needs_certificates() && !keys.certify(scratch))
            log.warning("serving the management client with gmac until its certificates are there suite={}",
                        static_cast<int>(keys.suite));
    }
    made.security_suite = static_cast<int>(keys.suite);
    ImageMemory image_memory{folder / "image"};
    const auto state = read_field_state(folder / "meter.state");
    security::OpensslCiphers ciphers;
    KeyFile key_file{folder / "keys"};
    HeldKeys held_keys{number, std::move(keys), key_file, ciphers, *made.model};
    made.installed_at =
        state ? state->installed_at
              : clock->now() - std::chrono::days{settings.optional_in<int>("history-days", 7, 0, 3650)};
    made.image_memory = &image_memory;
    made.accepted_counter = [&](Sap client) {
        return counters.accepted(client == management_client ? management_slot(0) : reading_slot(0));
    };
    made.replace_keys = [&](KeyOwner owner, const dlms::Data& argument) {
        return held_keys.take(owner, argument);
    };
    made.agree_keys = [&](KeyOwner owner, const dlms::Data& argument) {
        return held_keys.agree(owner, argument);
    };
    std::unique_ptr<PushPort> push_port;  // what was due while the meter was off is not pushed
    made.send_push = [&](PushOrder order) {
        if (push_port) push_port->push(std::move(order));
    };

    CustomerLoad load{made.seed, number, made.kind, false};
    const auto truth_file = settings.optional<std::filesystem::path>("truth", {});
    std::optional<Truth> truth;
    if (!truth_file.empty()) truth.emplace(truth_file);
    Meter meter{made, load, &load.supply(), truth ? &*truth : nullptr};
    if (state && state->devices.contains(number)) meter.replay(state->devices.at(number).deeds);

    security::SystemRandom random;
    platform::Loop loop{clock};
    meter.advance(loop.now());
    push_port = std::make_unique<PushPort>(
        loop, random, push_settings(settings, limits),
        [&](const PushOrder& order) {
            return protected_push(order, held_keys.keys(), system_title(number), ciphers, counters, 0);
        },
        [&] { return meter.shown_time(loop.now()); });
    Housekeeping housekeeping{loop, meter, folder / "meter.state", made.installed_at};
    const auto make_server = [&] {
        auto server = std::make_shared<dlms::Server>(system_title(number),
                                                     bench_access(held_keys.keys(), counters, 0, *made.model),
                                                     meter, ciphers, random);
        held_keys.tell(server);
        return server;
    };
    const BenchPort bench{
        loop, settings.optional<std::string>("address", "127.0.0.1"), port, link, make_server, limits};
    std::optional<LinePort> keypad;
    if (settings.has("keypad")) {
        const auto at = settings.required<platform::HostPort>("keypad");
        keypad.emplace(
            loop, [&](std::string_view line) { return keypad_answer(meter, line, loop.now()); }, at.host,
            at.port);
        log.information("keypad listening port={}", keypad->port());
    }
    const platform::StopSignals stop{loop, [&] { loop.stop(); }};
    log.information("listening number={} port={} link={} rows={} state={}", to_string(number), bench.port(),
                    to_string(link), meter.load_profile().rows().size(), folder.string());
    loop.run();
    housekeeping.write();
    return 0;
}

}  // namespace wattmesh::sim
