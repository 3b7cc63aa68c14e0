#include <filesystem>

#include "platform/log.h"
#include "platform/main_guard.h"
#include "security/ciphers.h"
#include "terminal-sim/device/modem_port.h"
#include "terminal-sim/tool/command.h"

namespace wattmesh::sim {
namespace {

constexpr int no_network = 2;  // searching

ModemTruth truth_in(const platform::Settings& settings) {
    ModemTruth truth;
    truth.sim = settings.optional<std::string>("sim", "present") == "present";
    truth.pin = settings.optional<std::string>("pin", "");
    truth.tries = settings.optional_in<int>("pin-tries", 3, 0, 3);
    truth.network = settings.optional_in<int>("network", 1, 0, 5);
    truth.rssi = settings.optional_in<int>("rssi", truth.rssi, 0, 31);
    truth.operator_name = settings.optional<std::string>("operator", truth.operator_name);
    truth.apn = settings.optional<std::string>("apn", "");
    truth.chatters = settings.optional<bool>("chatters", false);
    return truth;
}

/// Takes the network away and gives it back.
struct Fades {
    Fades(platform::Loop& loop, ModemPort& on, int every, int last)
        : port(on), timer(loop), every_s(every), last_s(last) {
        if (every_s > 0) fade_later();
    }
    void fade_later() {
        timer.after_real(std::chrono::seconds{every_s}, [this] {
            const int stat = port.modem().truth().network;
            set(no_network);
            timer.after_real(std::chrono::seconds{last_s}, [this, stat] {
                set(stat);
                fade_later();
            });
        });
    }
    void set(int stat) {
        platform::Log{"modem"}.information("network stat={}", stat);
        port.modem().set_network(stat);
        port.pump();
    }
    ModemPort& port;
    platform::Timer timer;
    const int every_s, last_s;
};

}  // namespace

int run_modem(const Call& call) {
    const auto& settings = call.settings;
    platform::start_log(settings.optional<std::string>("log", "information"));
    const std::filesystem::path link = settings.required<std::string>("link");
    platform::Loop loop{std::make_shared<platform::ScaledClock>(1)};
    security::SystemRandom random;
    ModemPort port{loop, random, truth_in(settings), settings.optional<std::string>("reset-line", "")};
    if (settings.has("lead-to")) port.lead_to(settings.required<platform::HostPort>("lead-to"));
    const Fades fades{loop, port, settings.optional_in<int>("fade-every", 0, 0, 86'400),
                      settings.optional_in<int>("fade", 30, 1, 86'400)};
    if (std::filesystem::is_symlink(link)) std::filesystem::remove(link);
    std::filesystem::create_symlink(port.device(), link);
    const platform::Log log{"modem"};
    log.information("ready device={} link={}", port.device(), link.string());
    const platform::StopSignals stop{loop, [&] { loop.stop(); }};
    loop.run();
    std::filesystem::remove(link);
    const auto& counts = port.modem().counts();
    log.information("stopped commands={} unknown={} pins_tried={} contexts={} restarts={} resets={}",
                    counts.commands, counts.unknown, counts.pins_tried, counts.contexts, counts.restarts,
                    counts.resets);
    return 0;
}

}  // namespace wattmesh::sim
