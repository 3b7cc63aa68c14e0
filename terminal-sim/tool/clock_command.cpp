#include <fmt/format.h>

#include <chrono>
#include <cstdio>

#include "protocol/cosem/clock.h"
#include "protocol/dlms/date_time.h"
#include "terminal-sim/tool/command.h"
#include "terminal-sim/tool/data_text.h"
#include "terminal-sim/tool/running.h"
#include "terminal-sim/tool/session_options.h"

namespace wattmesh::sim {
namespace {

struct Shown {
    dlms::DateTime clock;
    Duration offset{}, uncertainty{};
};
/// Of a date-time that has hundredths.
constexpr Duration step = std::chrono::milliseconds{10};

/// It answered somewhere between question and answer.
Shown ask(MeterSession& session, const platform::Clock& ours) {
    const auto before = ours.now();
    const auto outcome = session.get(cosem::clock::time.of(obis::clock));
    const auto after = ours.now();
    if (const auto* refused = std::get_if<dlms::AccessResult>(&outcome))
        throw std::runtime_error("the meter does not show its clock to this client: " +
                                 std::string{to_string(*refused)});
    const auto shown = dlms::date_time(std::get<dlms::Data>(outcome));
    if (!shown) throw std::runtime_error("the meter's clock shows no date and time");
    const Duration half = (after - before) / 2;
    return {*shown, shown->at - (before + half), half + step};
}

double seconds(Duration span) { return std::chrono::duration<double>(span).count(); }

}  // namespace

int run_clock(const Call& call) {
    const auto& settings = call.settings;
    const auto kind = link_of(settings);
    const auto timeout = std::chrono::seconds{settings.optional_in<int>("timeout", 10, 1, 600)};
    const int times = settings.optional_in<int>("times", 3, 1, 100);
    const Sap server{settings.optional<std::uint16_t>("server", management_logical_device.value)};
    const auto ours = clock_of(settings);
    BenchCall bench{settings.required<platform::HostPort>("tcp"), kind, server, timeout,
                    line_of(settings, kind)};
    MeterSession session{bench, who_of(settings, model_of(settings))};
    auto best = ask(session, *ours);
    for (int i = 1; i < times; ++i)
        if (const auto next = ask(session, *ours); next.uncertainty < best.uncertainty) best = next;
    session.release();
    std::printf(
        "%s\n",
        fmt::format(R"({{"clock":"{}","deviation_minutes":{},"offset_s":{:.3f},"uncertainty_s":{:.3f}}})",
                    iso_text(best.clock.at), best.clock.deviation_minutes, seconds(best.offset),
                    seconds(best.uncertainty))
            .c_str());
    const auto limit = settings.optional_in<int>("limit", 0, 0, 86'400);
    return limit == 0 || std::abs(seconds(best.offset)) <= limit ? 0 : 1;
}

}  // namespace wattmesh::sim
