#include <fmt/format.h>

#include <charconv>
#include <chrono>
#include <cstdio>

#include "terminal-sim/tool/command.h"
#include "terminal-sim/tool/data_text.h"
#include "terminal-sim/tool/session_options.h"

namespace wattmesh::sim {
namespace {

using platform::SettingsError;
constexpr ObisCode firmware{{1, 0, 0, 2, 0, 255}};

struct Range {
    std::uint16_t first = 1, last = 1;
};

Range range_in(const std::string& word) {
    const auto dash = word.find('-');
    const auto number = [&](std::string_view text) {
        int value = 0;
        const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), value);
        return fault == std::errc{} && end == text.data() + text.size() && value >= 1 && value <= 16'383
                   ? value
                   : 0;
    };
    const int first = number(std::string_view{word}.substr(0, dash));
    const int last = dash == std::string::npos ? first : number(std::string_view{word}.substr(dash + 1));
    if (first == 0 || last < first)
        throw SettingsError("--servers " + word +
                            ": is no range of addresses from 1 to 16383, for example 1-16");
    return {static_cast<std::uint16_t>(first), static_cast<std::uint16_t>(last)};
}

std::string text_of(MeterSession& session, const char* name, const ObisCode& object) {
    const auto outcome = session.get({1, object, 2});
    const auto* data = std::get_if<dlms::Data>(&outcome);
    return data == nullptr ? "" : fmt::format(R"(,"{}":{})", name, to_json(*data));
}

enum class Met { device, stranger, nobody };

/// One address; what answers is printed.
Met visit(const platform::Settings& settings, std::uint16_t server, const MeterSession::Who& who) {
    using Steady = std::chrono::steady_clock;
    const auto kind = link_of(settings);
    const auto timeout = std::chrono::seconds{settings.optional_in<int>("timeout", 2, 1, 600)};
    // Outside: who is not there at all is told at once, and not as an address without a device.
    BenchCall bench{settings.required<platform::HostPort>("tcp"), kind, Sap{server}, timeout,
                    line_of(settings, kind)};
    const auto start = Steady::now();
    try {
        MeterSession session{bench, who};
        const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(Steady::now() - start).count();
        const auto name = text_of(session, "name", obis::logical_device_name);
        const auto version = text_of(session, "firmware", firmware);
        std::printf("{\"server\":%d,\"answer_ms\":%lld%s%s}\n", server, static_cast<long long>(ms),
                    name.c_str(), version.c_str());
        session.release();
        return Met::device;
    } catch (const MeterSession::Refused& error) {
        std::printf("{\"server\":%d,\"refused\":\"%s\"}\n", server, json_escaped(error.what()).c_str());
        return Met::stranger;
    } catch (const std::runtime_error&) {
        return Met::nobody;
    }
}

}  // namespace

int run_scan(const Call& call) {
    const auto& settings = call.settings;
    const auto range = range_in(settings.optional<std::string>("servers", "1-16"));
    const auto who = who_of(settings, model_of(settings));
    const bool first_only = settings.optional<bool>("stop-at-first", false);
    int met = 0;
    for (int server = range.first; server <= range.last; ++server) {
        const auto found = visit(settings, static_cast<std::uint16_t>(server), who);
        met += found == Met::nobody ? 0 : 1;
        std::fflush(stdout);
        if (met > 0 && first_only) break;
    }
    std::fprintf(stderr, "%d of %d addresses answered\n", met, range.last - range.first + 1);
    return met > 0 ? 0 : 2;
}

}  // namespace wattmesh::sim
