#include <sstream>

#include "tests/fleet/world_parts.h"

namespace wattmesh::fleet {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

World::World(std::uint64_t seed, HeadModel& model, fs::path folder, int apart_percent, Addresses addresses)
    : scene_(make_scene(seed, apart_percent)),
      start_(run_start),
      timeline_(start_),
      chance_(seed, 2),
      addresses_(addresses),
      model_(model),
      folder_(std::move(folder)),
      depot_(timeline_),
      vendor_(ciphers_.generate(Curve::p256)) {
    fs::create_directories(folder_);
    wires_ = std::make_unique<Wires>(
        timeline_, chance_,
        Wires::Ends{
            [this](std::size_t site, Bytes bytes) {
                auto& at = *sites_[site];
                if (!at.core) return;
                at.core->uplink_received(bytes, now() - at.started);
                perform(at);
            },
            [this](std::size_t site) {
                auto& at = *sites_[site];
                if (!at.core) return;
                at.core->uplink_closed("the connection broke", now() - at.started);
                perform(at);
            },
            [this](std::size_t head, LinkId link, Bytes bytes) { to_head(head, link, to_buffer(bytes)); },
            [this](std::size_t head, LinkId link) { head_closed(head, link); }});
    wanted_ =
        std::make_unique<Wanted>(timeline_, model_, scene_.town, scene_.shipment, scene_.keks, ciphers_);
    sim::FieldOptions options;
    options.start = start_;
    options.installed_at = history_from;
    options.firmware_vendor = vendor_->public_key();
    field_ = std::make_unique<sim::Field>(scene_.town, scene_.shipment, options, ciphers_, chance_);
    for (std::size_t i = 0; i < 2; ++i) {
        heads_.push_back(std::make_unique<Head>(i, seed));
        start_head(i);
    }
    for (std::size_t i = 0; i < scene_.town.concentrators.size(); ++i) {
        sites_.push_back(std::make_unique<Site>(i, seed));
        sites_[i]->disk = folder_ / ("journal" + std::to_string(i) + ".sqlite");
        start_site(i);
    }
}

World::~World() {
    for (auto& site : sites_) site->core.reset();
    for (auto& head : heads_) head->core.reset();
    for (auto& site : sites_) site->store.reset();
    for (auto& head : heads_) head->store.reset();
    std::error_code ignored;
    fs::remove_all(folder_, ignored);
}

void World::start_site(std::size_t index) {
    auto& site = *sites_[index];
    JournalId journal;
    site.chance.fill(journal.octets);
    auto database = std::make_unique<concentrator::JournalDatabase>(site.disk.string(), journal);
    const auto recovered = database->recovered();
    site.store = std::make_unique<SlowDisk>(timeline_, site.chance, std::move(database), [this, index] {
        auto& answered = *sites_[index];
        answered.core->tick(now() - answered.started);
        perform(answered);
    });
    concentrator::CoreSettings settings;
    settings.number = scene_.town.concentrators[index];
    settings.kek = scene_.keks.at(settings.number);
    settings.uplink.number = settings.number;
    if (addresses_ == Addresses::primary_and_backup)
        settings.uplink.ways.ways = {{"ethernet", "first"}, {"ethernet", "second"}};
    settings.engine.own_title = system_title(settings.number);
    site.started = now();
    site.wake_at = never;
    site.from_host = {};
    ++site.life;
    site.core = std::make_unique<concentrator::Core>(settings, *site.store, recovered, ciphers_, site.chance);
    site.core->radio_connected(Duration{0});
    site.core->tick(Duration{0});
    perform(site);
}

void World::stop_site(std::size_t index) {
    auto& site = *sites_[index];
    if (site.core) {
        const auto state = site.core->uplink_state();
        site.earlier_moves += state.moves;
        site.earlier_returns += state.returns;
    }
    site.core.reset();
    site.store.reset();
    wires_->site_died(index);
}

void World::start_head(std::size_t index) {
    auto& head = *heads_[index];
    head.store = std::make_unique<SlowStore>(timeline_, head.chance, model_, weather_,
                                             [this, index] { perform(*heads_[index]); });
    headend::frontend::CoreSettings settings;
    head.core = std::make_unique<headend::frontend::Core>(settings, *head.store, *wanted_, renewals_,
                                                          ciphers_, head.chance);
    head.core->supply_images(depot_);
    const auto life = ++head.life;
    timeline_.after(250ms, [this, index, life] { tick_head(index, life); });
}

void World::stop_head(std::size_t index) {
    auto& head = *heads_[index];
    head.core.reset();
    lost_answers_ += head.store->lost_answers();
    failed_calls_ += head.store->failed();
    head.store.reset();
    head.hangs_until = {};
    wires_->head_died(index);
}

void World::tick_head(std::size_t index, std::uint64_t life) {
    auto& head = *heads_[index];
    if (head.life != life || !head.core) return;
    if (!hangs(index)) {
        head.core->tick(now());
        perform(head);
    }
    timeline_.after(1s, [this, index, life] { tick_head(index, life); });
}

void World::perform(Head& head) {
    if (head.performing || hangs(head.index)) return;
    head.performing = true;
    while (true) {
        const auto actions = head.core->take_actions();
        if (actions.empty()) break;
        for (const auto& action : actions) {
            if (const auto* send = std::get_if<headend::frontend::SendBytes>(&action))
                wires_->send_from_head(send->link, send->bytes);
            if (const auto* close = std::get_if<headend::frontend::CloseLink>(&action))
                wires_->close_from_head(close->link);
        }
    }
    head.performing = false;
}

void World::perform(Site& site) {
    if (site.performing) return;
    site.performing = true;
    while (site.core) {
        const auto action = site.core->take_action();
        if (!action) break;
        perform_action(site, *action);
    }
    site.performing = false;
    wake(site);
}

void World::perform_action(Site& site, const concentrator::Action& action) {
    const auto index = site.index;
    const auto life = site.life;
    if (const auto* call = std::get_if<concentrator::OpenUplink>(&action)) {
        timeline_.after(site.chance.between(20ms, 600ms), [this, index, life, way = call->way] {
            if (sites_[index]->life == life && sites_[index]->core) open_uplink(index, way);
        });
    } else if (const auto* probe = std::get_if<concentrator::ProbeUplink>(&action)) {
        timeline_.after(site.chance.between(20ms, 600ms), [this, index, life, way = probe->way] {
            if (sites_[index]->life == life && sites_[index]->core) probe_uplink(index, way);
        });
    } else if (const auto* send = std::get_if<concentrator::SendUplink>(&action)) {
        wires_->send_from_site(site.index, send->bytes);
    } else if (std::holds_alternative<concentrator::CloseUplink>(action)) {
        wires_->close_from_site(site.index);
    } else if (const auto* radio = std::get_if<concentrator::SendRadio>(&action)) {
        site.from_host.feed(radio->bytes);
        while (const auto payload = site.from_host.next()) field_->feed(site.index, *payload);
    }
}

void World::open_uplink(std::size_t index, std::size_t way) {
    auto& site = *sites_[index];
    if (addresses_ == Addresses::shared) way = static_cast<std::size_t>(chance_.within(0, 1));
    auto& head = *heads_[way];
    if (hangs(way)) return;  // the handshake does not end; the concentrator gives up by itself
    if (!head.core || now() < site.isolated_until) {
        site.core->uplink_closed("connection refused", now() - site.started);
        return perform(site);
    }
    const auto link = wires_->open(index, head.index);
    head.core->on_accepted(link, {to_string(scene_.town.concentrators[index]), std::nullopt}, now());
    site.core->uplink_opened(now() - site.started);
    perform(head);
    perform(site);
}

void World::wake(Site& site) {
    if (!site.core) return;
    const auto due = site.core->next_deadline();
    if (due == Duration::max()) return;
    const auto at = std::max(site.started + due, now());
    if (at >= site.wake_at) return;
    site.wake_at = at;
    timeline_.at(at, [this, index = site.index, life = site.life, at] {
        auto& woken = *sites_[index];
        if (woken.life != life || !woken.core || woken.wake_at != at) return;
        woken.wake_at = never;
        woken.core->tick(now() - woken.started);
        perform(woken);
    });
}

void World::drain_radio() {
    for (auto& site : sites_)
        while (const auto payload = field_->take(site->index)) {
            if (!site->core) continue;
            site->core->radio_received(mesh::host::frame_stream(*payload), now() - site->started);
            perform(*site);
        }
}

void World::run_until(Instant end) {
    while (true) {
        const auto next = std::min(timeline_.next(), field_->next_event());
        if (next > end) break;
        if (field_->next_event() <= timeline_.next()) {
            const auto at = std::max(field_->next_event(), now());
            timeline_.advance_to(at);
            field_->run_until(at);
            drain_radio();
        } else {
            field_->run_until(next);
            timeline_.step(end);
            drain_radio();
        }
    }
    field_->run_until(end);
    timeline_.advance_to(end);
    drain_radio();
}

void World::cut(std::size_t site, bool silent) {
    if (wires_->cut(site, silent)) ++(silent ? faults_.silent_cuts : faults_.cuts);
}

void World::isolate(std::size_t site, Duration span) {
    sites_[site]->isolated_until = now() + span;
    cut(site, false);
}

bool World::reads(std::size_t site, const DeviceNumber& meter) const {
    return sites_[site]->core && sites_[site]->core->reads(meter);
}

std::size_t World::owners_wrong() {
    std::size_t wrong = 0;
    for (const auto& meter : scene_.town.meters) {
        std::size_t owners = 0;
        for (std::size_t i = 0; i < sites_.size(); ++i) owners += reads(i, meter.number) ? 1U : 0U;
        wrong += owners == 1 ? 0U : 1U;
    }
    return wrong;
}

void World::crash_head(std::size_t head, Duration down) {
    if (!heads_[head]->core) return;
    ++faults_.head_crashes;
    stop_head(head);
    const auto life = heads_[head]->life;
    timeline_.after(down, [this, head, life] {
        if (heads_[head]->life == life && !heads_[head]->core) start_head(head);
    });
}

void World::crash_concentrator(std::size_t index, Duration down, bool restore) {
    auto& site = *sites_[index];
    if (!site.core) return;
    ++faults_.concentrator_crashes;
    stop_site(index);
    if (restore && !site.remembered.empty()) {
        ++faults_.disks_restored;
        for (const char* part : {"", "-wal", "-shm"}) {
            std::error_code ignored;
            fs::remove(site.disk.string() + part, ignored);
        }
        fs::copy_file(site.remembered, site.disk);
    }
    timeline_.after(down, [this, index, life = site.life] {
        if (sites_[index]->life == life && !sites_[index]->core) start_site(index);
    });
}

void World::remember_disk(std::size_t index) {
    auto& site = *sites_[index];
    if (!site.core) return;
    ++faults_.concentrator_crashes;
    stop_site(index);  // closing the last connection folds the write-ahead log into the file
    site.remembered = folder_ / ("remembered" + std::to_string(index) + ".sqlite");
    fs::copy_file(site.disk, site.remembered, fs::copy_options::overwrite_existing);
    timeline_.after(5s, [this, index, life = site.life] {
        if (sites_[index]->life == life && !sites_[index]->core) start_site(index);
    });
}

void World::kill_meter(std::size_t index, Duration down) {
    const auto number = scene_.town.meters[index].number;
    ++faults_.meters_killed;
    field_->kill(number);
    timeline_.after(down, [this, number] { field_->revive(number); });
}

void World::move_meter(std::size_t index, std::optional<std::size_t> collector, Duration between) {
    const auto number = scene_.town.meters[index].number;
    const auto target = collector ? std::optional{scene_.town.collectors[*collector].number} : std::nullopt;
    ++faults_.meters_moved;
    field_->unplug(number);
    timeline_.after(between, [this, number, target] { field_->move(number, target); });
}

void World::kill_collector(std::size_t index, Duration down) {
    const auto number = scene_.town.collectors[index].number;
    ++faults_.collectors_killed;
    field_->kill(number);
    timeline_.after(down, [this, number] { field_->revive(number); });
}

void World::cut_power(std::size_t site, Duration dark) {
    const auto number = scene_.town.concentrators[site];
    ++faults_.power_cuts;
    field_->darken(number);
    timeline_.after(dark, [this, number] { field_->revive(number); });
}

void World::renew_key(std::size_t index) {
    auto& site = *sites_[index];
    if (!site.core) return;
    ++faults_.keys_renewed;
    site.core->renew_net_key(now() - site.started);
    perform(site);
}

void World::heal() {
    weather_ = {};
    for (std::size_t i = 0; i < heads_.size(); ++i)
        if (!heads_[i]->core) start_head(i);
    for (std::size_t i = 0; i < sites_.size(); ++i)
        if (!sites_[i]->core) start_site(i);
    for (const auto& concentrator : scene_.town.concentrators) field_->revive(concentrator);
    for (const auto& meter : scene_.town.meters) field_->revive(meter.number);
    for (const auto& collector : scene_.town.collectors) field_->revive(collector.number);
}

std::string World::describe() const {
    std::ostringstream out;
    for (const auto& site : sites_) {
        out << "site " << site->index << ": ";
        if (!site->core) {
            out << "down; ";
            continue;
        }
        const auto& reading = site->core->reading_counts();
        const auto& uplink = site->core->uplink_counts();
        int joined = 0, believe = 0;
        for (const auto& node : site->core->topology()) {
            joined += node.state == dcu::NodeState::joined;
            believe += field_->radio().joined(node.number);
        }
        out << "logged in " << site->core->logged_in() << ", joined " << joined << " (meters believe "
            << believe << ")" << ", requests " << reading.requests << ", rows " << reading.rows_journalled
            << ", failures " << reading.failures << ", uplinks " << uplink.opened << "; ";
    }
    for (const auto& head : heads_) {
        out << "head " << head->index << ": ";
        if (!head->core) {
            out << "down; ";
            continue;
        }
        for (const auto& session : head->core->sessions()) {
            out << session.number << " phase " << static_cast<int>(session.phase);
            if (session.replicated)
                out << " entries " << session.replicated->entries << " races "
                    << session.replicated->lost_races << " malformed "
                    << session.replicated->malformed_answers;
            out << ", ";
        }
        out << "; ";
    }
    return out.str();
}

std::uint64_t World::trace_hash() const {
    std::uint64_t hash = field_->radio().trace_hash();
    const auto mix = [&](std::uint64_t value) { hash = (hash ^ value) * 0x100000001B3ULL; };
    mix(wires_->octets());
    mix(faults_.cuts + faults_.silent_cuts);
    for (const auto& [key, row] : model_.rows()) {
        mix(key.first.integer());
        mix(static_cast<std::uint64_t>(epoch_us(key.second)));
        for (const auto& value : row.values) mix(static_cast<std::uint64_t>(value.value_or(-1)));
    }
    return hash;
}

}  // namespace wattmesh::fleet
