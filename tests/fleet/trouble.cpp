#include "tests/fleet/trouble.h"

namespace wattmesh::fleet {

using namespace std::chrono_literals;

void Trouble::repeat(Duration mean, std::function<void()> happen) {
    const auto at = world_.now() + chance_.between(mean / 4, mean * 7 / 4);
    if (at >= end_) return;
    world_.timeline().at(at, [this, mean, happen = std::move(happen)] {
        happen();
        repeat(mean, happen);
    });
}

void Trouble::disturb_database() {
    DatabaseWeather weather;
    switch (chance_.within(0, 2)) {
        case 0:
            weather.down = true;
            ++world_.faults().database_outages;
            break;
        case 1:
            weather.delay_max = 25s;
            ++world_.faults().database_slow;
            break;
        default:
            weather.lost_answers_in_thousand = 200;
    }
    world_.database(weather);
    DatabaseWeather usual;
    usual.lost_answers_in_thousand = 5;
    world_.timeline().after(chance_.between(1min, 15min), [this, usual] {
        if (world_.now() < end_) world_.database(usual);
    });
}

void Trouble::plan_for_primary() {
    repeat(70min, [this] { world_.hang_head(0, chance_.between(20s, 30min)); });
    repeat(3h, [this] { world_.crash_head(0, chance_.between(10s, 40min)); });
    repeat(4h, [this] {
        for (int flap = 0; flap < 6; ++flap)
            world_.timeline().after(flap * chance_.between(40s, 8min), [this] {
                if (world_.now() < end_) world_.crash_head(0, chance_.between(5s, 90s));
            });
    });
}

void Trouble::plan() {
    for (std::size_t site = 0; site < 2; ++site) {
        repeat(40min, [this, site] { world_.cut(site, chance_.in_a_thousand(350)); });
        repeat(3h, [this, site] {
            world_.crash_concentrator(site, chance_.between(5s, 10min), chance_.in_a_thousand(350));
        });
        repeat(4h, [this, site] { world_.remember_disk(site); });
        repeat(5h, [this, site] { world_.cut_power(site, chance_.between(5s, 40min)); });
        repeat(4h, [this, site] { world_.renew_key(site); });
    }
    for (std::size_t head = 0; head < 2; ++head)
        repeat(150min, [this, head] { world_.crash_head(head, chance_.between(2s, 20min)); });
    repeat(90min, [this] { disturb_database(); });
    repeat(1h, [this] {
        const auto meters = static_cast<std::int64_t>(world_.scene().town.meters.size());
        world_.kill_meter(static_cast<std::size_t>(chance_.within(0, meters - 1)),
                          chance_.between(3min, 50min));
    });
    // Only those that began on a wire: the radio of another may be somebody's only way.
    const auto& town = world_.scene().town;
    std::vector<std::size_t> wired;
    for (std::size_t i = 0; i < town.meters.size(); ++i)
        if (town.meters[i].collector) wired.push_back(i);
    repeat(40min, [this, wired] {
        const auto which =
            static_cast<std::size_t>(chance_.within(0, static_cast<std::int64_t>(wired.size()) - 1));
        const auto to = chance_.within(0, 2);
        const auto collector = to == 2 ? std::nullopt : std::optional{static_cast<std::size_t>(to)};
        world_.move_meter(wired[which], collector, chance_.between(1s, 20min));
    });
    repeat(3h, [this] {
        world_.kill_collector(static_cast<std::size_t>(chance_.within(0, 1)), chance_.between(10s, 20min));
    });
}

}  // namespace wattmesh::fleet
