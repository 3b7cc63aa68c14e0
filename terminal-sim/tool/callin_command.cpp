#include <fstream>
#include <sstream>

#include "platform/log.h"
#include "platform/main_guard.h"
#include "security/ciphers.h"
#include "terminal-sim/device/callin_meter.h"
#include "terminal-sim/meter/access.h"
#include "terminal-sim/meter/meter.h"
#include "terminal-sim/tool/device_kinds.h"
#include "terminal-sim/tool/keys.h"
#include "terminal-sim/tool/running.h"

namespace wattmesh::sim {
namespace {

using platform::SettingsError;

HelloFault fault_in(const platform::Settings& settings) {
    const auto word = settings.optional<std::string>("fault", "none");
    if (word == "none") return HelloFault::none;
    if (word == "hello-checksum") return HelloFault::checksum;
    throw SettingsError("--fault " + word + ": is neither none nor hello-checksum");
}

}  // namespace

link::HelloProfile hello_profile_in(const platform::Settings& settings,
                                    std::optional<link::Carried> carries) {
    const auto file = settings.required<std::filesystem::path>("profile");
    std::ifstream in{file};
    std::ostringstream text;
    if (!(text << in.rdbuf())) throw SettingsError("--profile " + file.string() + ": cannot be read");
    auto profile = link::parse_hello_profile(text.str());
    if (const auto* fault = std::get_if<link::ProfileFault>(&profile))
        throw SettingsError("--profile " + file.string() + ":" + std::to_string(fault->line) + ": " +
                            fault->why);
    auto known = std::get<link::HelloProfile>(std::move(profile));
    if (carries && known.carries != *carries)
        throw SettingsError("--profile " + file.string() + ": carries " +
                            std::string{to_string(known.carries)} + ", not " +
                            std::string{to_string(*carries)});
    return known;
}

int run_callin_meter(const platform::Settings& settings, const DeviceNumber& number) {
    const platform::Log log{"device"};
    const auto profile = hello_profile_in(settings, link::Carried::wrapper);
    const auto place = settings.required<platform::HostPort>("headend");
    const auto folder = settings.required<std::filesystem::path>("state");
    std::filesystem::create_directories(folder);
    AccessKeys keys;
    keys.management = management_keys(settings);
    if (!keys.management) throw SettingsError("--ek, --ak: the keys of the management client are needed");
    CounterFile counters{folder / "counters", number.integer(), 2};
    const auto truth_file = settings.optional<std::filesystem::path>("truth", {});
    std::optional<Truth> truth;
    if (!truth_file.empty()) truth.emplace(truth_file);

    const auto clock = clock_of(settings);
    platform::Loop loop{clock};
    security::OpensslCiphers ciphers;
    security::SystemRandom random;
    CallinMeter* modem = nullptr;
    MeterSettings made{
        .number = number, .kind = LoadKind::shop, .seed = settings.optional<std::uint32_t>("seed", 1)};
    made.installed_at =
        clock->now() - std::chrono::hours{settings.optional_in<int>("history-hours", 24, 0, 24 * 365)};
    made.push_destination.destination = to_buffer(as_bytes("the link that is open"));
    made.accepted_counter = [&](Sap) { return counters.accepted(management_slot(0)); };
    made.send_push = [&](const PushOrder& order) {
        const auto apdu = protected_push(order, keys, system_title(number), ciphers, counters, 0);
        if (apdu && modem != nullptr) modem->push(*apdu, order.client);
    };
    CustomerLoad load{made.seed, number, made.kind, false};
    Meter meter{made, load, &load.supply(), truth ? &*truth : nullptr};
    meter.advance(loop.now());
    CallinMeter device{
        loop,
        random,
        {.host = place.host, .port = place.port, .identity = to_string(number), .fault = fault_in(settings)},
        profile,
        [&] {
            return std::make_shared<dlms::Server>(
                system_title(number), bench_access(keys, counters, 0, *made.model), meter, ciphers, random);
        }};
    modem = &device;
    platform::Timer capture{loop}, push{loop};
    const std::function<void()> advance = [&] {
        meter.advance(loop.now());
        capture.at(meter.next_event(), advance);
    };
    advance();
    const auto push_every = std::chrono::seconds{settings.optional_in<int>("push-every", 0, 0, 86'400)};
    const std::function<void()> push_now = [&] {
        const dlms::MethodId push_method{40, meter.object_named(cosem::Quantity::push_setup), 1};
        meter.act(push_method, dlms::Data{std::int8_t{0}}, management_client, loop.now(),
                  [](const dlms::ActionOutcome&) {});
        push.after(push_every, push_now);
    };
    if (push_every.count() > 0) push.after(push_every, push_now);
    const platform::StopSignals stop{loop, [&] { loop.stop(); }};
    log.information("calling kind=dlms-callin number={} headend={}:{} profile={}", to_string(number),
                    place.host, place.port, profile.name);
    loop.run();
    const auto& counts = device.counters();
    log.information(
        "stopped calls={} logins_answered={} beats={} beats_answered={} wrong_answers={} requests={} "
        "pushes={}",
        counts.calls, counts.logins_answered, counts.beats, counts.beats_answered, counts.wrong_answers,
        counts.requests, counts.pushes);
    return counts.wrong_answers == 0 ? 0 : 1;
}

}  // namespace wattmesh::sim
