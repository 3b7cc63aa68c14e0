#include <algorithm>
#include <cstdio>
#include <fstream>
#include <thread>

#include "platform/arguments.h"
#include "platform/log.h"
#include "platform/loop.h"
#include "platform/main_guard.h"
#include "security/private_file.h"
#include "security/webhook_signature.h"
#include "terminal-sim/tool/command.h"
#include "terminal-sim/tool/data_text.h"
#include "terminal-sim/tool/file_consumer.h"
#include "terminal-sim/tool/rest_partner.h"
#include "terminal-sim/tool/webhook_server.h"

namespace wattmesh::sim {
namespace {

constexpr int exit_bad = 3;
constexpr auto look_every = std::chrono::milliseconds{100};

/// Of a file that others cannot read.
Buffer secret_of(const std::filesystem::path& file) {
    const auto held = security::read_private_file(file);
    const std::string_view text{reinterpret_cast<const char*>(held.reveal().data()), held.reveal().size()};
    const auto octets = security::parse_webhook_secret(text.substr(0, text.find_last_not_of(" \n") + 1));
    if (!octets)
        throw std::runtime_error(file.string() + ": is no secret of `headend partner webhook` (whsec_...)");
    return {octets->reveal().begin(), octets->reveal().end()};
}

/// One look at a directory; what is taken is told line by line.
int take_files(const platform::Settings& settings) {
    FileConsumer consumer{settings.required<std::filesystem::path>("dir"),
                          settings.optional_in<int>("refuse-each", 0, 0, 1'000'000)};
    bool good = true;
    for (const auto& file : consumer.take()) {
        std::printf(R"({"file":"%s","lines":%lld,"values":%lld,"refused":%lld,"wrong":"%s"})"
                    "\n",
                    json_escaped(file.name).c_str(), static_cast<long long>(file.lines),
                    static_cast<long long>(file.values), static_cast<long long>(file.refused),
                    json_escaped(file.why).c_str());
        good = good && file.why.empty();
    }
    return good ? 0 : exit_bad;
}

int take_webhooks(const platform::Settings& settings) {
    platform::start_log(settings.optional<std::string>("log", "information"));
    WebhookSink sink{secret_of(settings.required<std::filesystem::path>("secret-file")),
                     {settings.optional_in<int>("away", 0, 0, 1'000'000),
                      settings.optional<std::string>("refuse", ""), false}};
    const auto count = settings.optional_in<int>("count", 0, 0, 100'000'000);
    const WebhookServer server{sink, settings.optional<std::string>("address", "127.0.0.1"),
                               settings.required_in<std::uint16_t>("port", 0, 65535),
                               settings.optional<std::string>("out", "")};
    platform::Log{"mis"}.information("listening port={}", server.port());
    platform::Loop loop{std::make_shared<platform::ScaledClock>()};
    const platform::StopSignals stop{loop, [&] { loop.stop(); }};
    platform::Timer timer{loop};
    const std::function<void()> look = [&] {
        if (count > 0 && sink.counts().messages >= count) return loop.stop();
        timer.after_real(look_every, look);
    };
    look();
    loop.run();
    const auto counts = sink.counts();
    std::printf("%s\n", to_json(counts).c_str());
    return counts.good() ? 0 : exit_bad;
}

Instant epoch_in(const platform::Settings& settings, const char* name) {
    return from_epoch_us(settings.required_in<std::int64_t>(name, 0, 7'258'118'400) * 1'000'000);
}

std::ofstream file_for(const platform::Settings& settings, const char* name) {
    std::ofstream file;
    const auto path = settings.optional<std::string>(name, "");
    if (path.empty()) return file;
    file.open(path);
    if (!file) throw std::runtime_error(path + ": cannot be written");
    return file;
}

/// Everything that the contract shows, against itself: lines against pages, readings against meters.
int pull(const platform::Settings& settings) {
    const auto url = platform::HttpUrl::parse(settings.required<std::string>("url"));
    if (!url) throw platform::UsageError("--url: an address like http://127.0.0.1:8086");
    const auto held = security::read_private_file(settings.required<std::filesystem::path>("client-file"));
    RestPartner partner{
        *url,
        parse_client({reinterpret_cast<const char*>(held.reveal().data()), held.reveal().size()}),
        {.ca_file = settings.optional<std::string>("ca", "")}};
    const auto from = epoch_in(settings, "from"), to = epoch_in(settings, "to");
    auto csv = file_for(settings, "csv"), out = file_for(settings, "out");
    const auto meters = partner.meters();
    const auto points = partner.usage_points();
    const auto lines = partner.readings(from, to);
    for (const auto& line : lines) {
        if (!std::binary_search(meters.begin(), meters.end(), line.meter))
            throw std::runtime_error("readings of " + to_string(line.meter) +
                                     ", which is no meter of the contract");
        csv << to_string(line.meter) << "," << line.at_epoch_s << "," << line.channel << "," << line.value
            << "\n";
    }
    constexpr std::size_t paged_meters = 3;
    constexpr int paged_rows = 7;
    const std::vector<DeviceNumber> some{meters.begin(),
                                         meters.begin() + std::min(meters.size(), paged_meters)};
    auto expected = lines;
    std::erase_if(expected, [&](const auto& line) {
        return !std::binary_search(some.begin(), some.end(), line.meter);
    });
    const bool agree = some.empty() || partner.readings(from, to, some, paged_rows) == expected;
    const auto feed = partner.feed([&](const std::string& message) { out << message << "\n"; });
    std::string read;
    if (const auto meter = settings.optional<std::string>("read", ""); !meter.empty()) {
        const auto number = DeviceNumber::parse(meter);
        if (!number) throw platform::UsageError("--read: '" + meter + "' is no number of twelve digits");
        constexpr int polls_max = 600;
        read = partner.read(*number, "1-0:1.8.0*255", "read-" + std::to_string(epoch_us(to)), polls_max,
                            [] { std::this_thread::sleep_for(look_every); });
    }
    std::printf(
        R"({"meters":%zu,"usage_points":%lld,"values":%zu,"pages_agree":%s,"messages":%lld,"kinds":%lld,)"
        R"("read":"%s"})"
        "\n",
        meters.size(), static_cast<long long>(points), lines.size(), agree ? "true" : "false",
        static_cast<long long>(feed.messages), static_cast<long long>(feed.kinds),
        json_escaped(read).c_str());
    return agree ? 0 : exit_bad;
}

}  // namespace

int run_mis(const Call& call) {
    if (call.words.size() == 1 && call.words[0] == "webhook") return take_webhooks(call.settings);
    if (call.words.size() == 1 && call.words[0] == "files") return take_files(call.settings);
    if (call.words.size() == 1 && call.words[0] == "rest") return pull(call.settings);
    if (call.words.size() == 1 && call.words[0] == "cim") return check_cim(call.settings);
    throw platform::UsageError("say: terminal-sim mis webhook, mis files, mis rest or mis cim (see --help)");
}

}  // namespace wattmesh::sim
