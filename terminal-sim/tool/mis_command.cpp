#include <cstdio>

#include "platform/arguments.h"
#include "platform/log.h"
#include "platform/loop.h"
#include "platform/main_guard.h"
#include "security/private_file.h"
#include "security/webhook_signature.h"
#include "terminal-sim/tool/command.h"
#include "terminal-sim/tool/data_text.h"
#include "terminal-sim/tool/file_consumer.h"
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

}  // namespace

int run_mis(const Call& call) {
    if (call.words.size() == 1 && call.words[0] == "webhook") return take_webhooks(call.settings);
    if (call.words.size() == 1 && call.words[0] == "files") return take_files(call.settings);
    throw platform::UsageError("say: terminal-sim mis webhook or terminal-sim mis files (see --help)");
}

}  // namespace wattmesh::sim
