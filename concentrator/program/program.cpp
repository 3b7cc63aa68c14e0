#include "concentrator/program/program.h"

#include <iostream>

#include "concentrator/program/enrolment.h"
#include "concentrator/program/station.h"
#include "platform/arguments.h"
#include "platform/log.h"
#include "platform/main_guard.h"
#include "security/ciphers.h"

namespace wattmesh::concentrator {
namespace {

constexpr const char* help =
    R"(concentrator - root of a Wattmesh radio mesh: reads its meters, keeps their readings, calls the head-end

  concentrator --headend HOST:PORT --enrol CODE --number N [options]   first start of a new unit
  concentrator --headend HOST:PORT [options]                           from then on

  --headend HOST:PORT   the head-end's front-end
  --backup HOST:PORT    another front-end, called while the first one does not answer
  --enrol CODE          one-time code from "headend enrol NUMBER"; not needed any more once it worked
  --number N            the twelve digits on the unit's plate; kept in the state folder
  --radio HOST:PORT     the radio module (default 127.0.0.1:7100)
  --modem DEVICE        a cellular modem (Quectel EC2x/EG9x) on this serial port, used while Ethernet leads nowhere
  --modem-baud N        its rate (default 115200)
  --modem-apn NAME      access point; --modem-user and --modem-password where it wants them
  --modem-pin PIN       of its SIM; never entered when that could lock it. Better in the file of --config
  --modem-reset FILE    its reset line as a file that takes 1 and 0 (sysfs)
  --machine ADDR:PORT   listens there for vending machines (Ethernet): TLS to the head-end's vending, which it cannot open
  --machine-serial DEV  a vending machine on this serial port (RS-232, eight data bits, no parity, tunnel frames)
  --machine-baud N      its rate (default 115200)
  --state DIR           journal, identity and keys (default /var/lib/wattmesh-concentrator)
  --log LEVEL           error, warning, information (default) or debug
  --speed X             simulated time runs X times as fast (default 1)
  --origin SECONDS      Unix time at which simulated time equals real time (default: now)
  --config FILE         the same settings as lines "key = value"; the command line comes first
  --help                this text
)";

struct Options {
    StationSettings station;
    std::filesystem::path state;
    std::optional<DeviceNumber> number;
    std::string code;
    std::optional<Instant> origin;
};

std::string quotable(const platform::Settings& settings, const std::string& key) {
    auto text = settings.optional<std::string>(key, "");
    for (const char c : text)
        if (c < ' ' || c > '~' || c == '"' || c == '\\')
            throw platform::UsageError("--" + key + ": has a character that a modem's command cannot carry");
    return text;
}

platform::CellularSettings modem_in(const platform::Settings& settings) {
    platform::CellularSettings modem;
    modem.serial.device = settings.required<std::string>("modem");
    modem.serial.baud = settings.optional<std::uint32_t>("modem-baud", 115'200);
    modem.modem.apn = quotable(settings, "modem-apn");
    modem.modem.user = quotable(settings, "modem-user");
    modem.modem.password = quotable(settings, "modem-password");
    modem.modem.pin = settings.optional<std::string>("modem-pin", "");
    const auto& pin = modem.modem.pin;
    if (!pin.empty() &&
        (pin.size() < 4 || pin.size() > 8 || pin.find_first_not_of("0123456789") != std::string::npos))
        throw platform::UsageError("--modem-pin must be four to eight digits");
    modem.reset_file = settings.optional<std::filesystem::path>("modem-reset", "");
    return modem;
}

Options read_options(const platform::Settings& settings) {
    Options options;
    platform::start_log(settings.optional<std::string>("log", "information"));
    options.station.headends = {settings.required<platform::HostPort>("headend")};
    if (settings.has("backup")) {
        options.station.headends.push_back(settings.required<platform::HostPort>("backup"));
        if (options.station.headends[0] == options.station.headends[1])
            throw platform::UsageError("--backup must be another address than --headend");
    }
    options.station.radio = settings.optional<platform::HostPort>("radio", {"127.0.0.1", 7100});
    options.station.speed = settings.optional_in<double>("speed", 1, platform::ScaledClock::speed_min,
                                                         platform::ScaledClock::speed_max);
    options.state = settings.optional<std::filesystem::path>("state", "/var/lib/wattmesh-concentrator");
    options.code = settings.optional<std::string>("enrol", "");
    if (settings.has("machine"))
        options.station.machines.listen = settings.required<platform::HostPort>("machine");
    if (settings.has("machine-serial"))
        options.station.machines.serial = {.device = settings.required<std::string>("machine-serial"),
                                           .baud = settings.optional<std::uint32_t>("machine-baud", 115'200),
                                           .parity = platform::Parity::none};
    if (settings.has("modem")) options.station.modem = modem_in(settings);
    if (settings.has("origin"))
        options.origin =
            Instant{Duration{static_cast<std::int64_t>(settings.required<double>("origin") * 1e6)}};
    if (settings.has("number")) {
        options.number = DeviceNumber::parse(settings.required<std::string>("number"));
        if (!options.number)
            throw platform::UsageError("--number must be the twelve digits on the unit's plate");
    }
    settings.refuse_unknown();
    return options;
}

DeviceNumber own_number(const Options& options, const IdentityFiles& files) {
    const auto known = files.number();
    if (known && options.number && *known != *options.number) {
        throw platform::UsageError("the state folder " + options.state.string() +
                                   " belongs to concentrator " + to_string(*known) + ", not to " +
                                   to_string(*options.number) + "; give another --state");
    }
    if (!known && !options.number)
        throw platform::UsageError("this unit's number is not known yet; give --number N (twelve digits)");
    return known ? *known : *options.number;
}

}  // namespace

int run_program(int argc, const char* const* argv) {
    const platform::Arguments arguments(
        argc, argv, {"headend",     "backup",    "radio",          "state",          "modem",
                     "modem-baud",  "modem-apn", "modem-user",     "modem-password", "modem-pin",
                     "modem-reset", "machine",   "machine-serial", "machine-baud",   "number",
                     "enrol",       "speed",     "origin",         "config",         "log"},
        {"help"});
    if (arguments.has("help")) return std::cout << help, 0;
    if (!arguments.words().empty())
        throw platform::UsageError("unknown word \"" + arguments.words()[0] + "\"; see concentrator --help");
    const Options options = read_options(arguments.settings());
    platform::forbid_memory_dumps();

    IdentityFiles files(options.state);
    const DeviceNumber number = own_number(options, files);
    platform::Loop loop(std::make_shared<platform::ScaledClock>(options.station.speed, options.origin));
    bool stopped = false;
    const platform::StopSignals signals(loop, [&] {
        stopped = true;
        loop.stop();
    });
    security::OpensslCiphers ciphers;
    security::SystemRandom random;
    const platform::Log log("concentrator");

    const auto& primary = options.station.headends.front();
    auto identity = files.load();
    if (!identity && options.code.empty()) {
        throw platform::UsageError("this concentrator is not enrolled; get a code with \"headend enrol " +
                                   to_string(number) + "\" and give --enrol CODE");
    }
    if (!identity) {
        log.information("enrols number={} headend={}:{}", to_string(number), primary.host, primary.port);
        identity = enrol(loop, random, primary, number, options.code);
        if (!identity) return 0;
        files.store(*identity);
        log.information("enrolled number={}", to_string(number));
    }
    Station station(loop, options.station, *identity, files, ciphers, random);
    log.information("started number={} state={} headend={}:{} radio={}:{} speed={}", to_string(number),
                    options.state.string(), primary.host, primary.port, options.station.radio.host,
                    options.station.radio.port, options.station.speed);
    station.start();
    if (!stopped) loop.run();
    log.information("stopped");
    return 0;
}

}  // namespace wattmesh::concentrator
