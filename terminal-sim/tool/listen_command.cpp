#include <fmt/format.h>

#include <cstdio>

#include "platform/log.h"
#include "platform/main_guard.h"
#include "protocol/decode/describe.h"
#include "protocol/dlms/quirk_names.h"
#include "security/ciphers.h"
#include "terminal-sim/tool/command.h"
#include "terminal-sim/tool/keys.h"
#include "terminal-sim/tool/push_listener.h"
#include "terminal-sim/tool/session_options.h"

namespace wattmesh::sim {
namespace {

constexpr int exit_bad_push = 3;

decode::Form form_of(PushLink link) {
    return link == PushLink::hdlc   ? decode::Form::hdlc
           : link == PushLink::mbus ? decode::Form::mbus
                                    : decode::Form::wrapper;
}

}  // namespace

int run_listen(const Call& call) {
    const auto& settings = call.settings;
    platform::start_log(settings.optional<std::string>("log", "information"));
    platform::forbid_memory_dumps();
    const auto link = push_link(settings.optional<std::string>("link", "wrapper"));
    if (!link) throw platform::SettingsError(std::string{"--link: is none of "} + push_link_words);
    const auto port = settings.required_in<std::uint16_t>("port", 0, 65535);
    const auto count = settings.optional_in<int>("count", 0, 0, 1'000'000);
    const bool json = settings.optional<bool>("json", false);
    security::OpensslCiphers ciphers;
    const decode::Keyring keyring = keyring_of(settings, ciphers);
    const auto quirks = quirks_of(settings, cosem::models::generic);

    platform::Loop loop{std::make_shared<platform::ScaledClock>()};
    int received = 0;
    bool all_whole = true;
    PushListener listener{
        loop, settings.optional<std::string>("address", "127.0.0.1"), port, *link,
        [&](const std::string& peer, const PushAssembly::Push& push) {
            const decode::Report report = decode::describe(push.octets, {.form = form_of(*link)}, keyring);
            const auto quirk = quirk_met(report, quirks);
            all_whole = all_whole && push.complete && report.whole() && quirk.empty();
            ++received;
            const std::string head =
                json ? fmt::format(R"({{"push":{},"peer":"{}","octets":{},"complete":{}}})", received, peer,
                                   push.octets.size(), push.complete)
                     : fmt::format("push {} from {}, {} octets{}", received, peer, push.octets.size(),
                                   push.complete ? "" : ", INCOMPLETE");
            std::printf("%s\n%s", head.c_str(), (json ? report.json() : report.text()).c_str());
            if (!quirk.empty())
                std::fprintf(stderr, "push %d shows the quirk %s, which --quirk %s allows\n", received,
                             quirk.c_str(), quirk.c_str());
            std::fflush(stdout);
            if (received == count) loop.stop();
        }};
    const platform::StopSignals stop{loop, [&] { loop.stop(); }};
    platform::Log{"listen"}.information("listening port={} link={}", listener.port(), to_string(*link));
    loop.run();
    return all_whole ? 0 : exit_bad_push;
}

}  // namespace wattmesh::sim
