#include "concentrator/core.h"

#include <algorithm>

#include "security/ciphers.h"

namespace wattmesh::concentrator {
namespace {

constexpr std::size_t wrapped_parts = 3, key_size = 16;

std::optional<MeterKeys> unwrap(KeyWrap& kek, Bytes wrapped) {
    auto plain = kek.unwrap(wrapped);
    if (!plain || plain->size() != wrapped_parts * key_size) return std::nullopt;
    const Bytes keys{*plain};
    MeterKeys out{{*Key128::from(keys.subspan(0, key_size)), *Key128::from(keys.subspan(key_size, key_size))},
                  *Key128::from(keys.subspan(2 * key_size, key_size))};
    security::wipe(*plain);
    return out;
}

/// Of a collector, which has no other key.
std::optional<Key128> unwrap_join(KeyWrap& kek, Bytes wrapped) {
    auto plain = kek.unwrap(wrapped);
    if (!plain) return std::nullopt;
    auto key = plain->size() == key_size ? Key128::from(*plain) : std::nullopt;
    security::wipe(*plain);
    return key;
}

RootSettings mesh_settings(const CoreSettings& settings) {
    RootSettings mesh = settings.mesh;
    mesh.concentrator = settings.number;
    if (mesh.pan <= 1) mesh.pan = pan_of(settings.number);
    return mesh;
}

}  // namespace

Core::Core(CoreSettings settings, JournalStore& store, const Recovered& recovered, Ciphers& ciphers,
           Random& random)
    : settings_(std::move(settings)),
      ciphers_(ciphers),
      random_(random),
      clock_(recovered.last_time),
      now_(clock_.at({})),
      mesh_(std::make_unique<MeshRoot>(mesh_settings(settings_), ciphers, random)),
      store_(store, [this](const Directory& directory) {
          if (uplink_) uplink_->notify(directory);
      }) {
    settings_.engine.own_title = system_title(settings_.number);
    settings_.uplink.number = settings_.number;
    objects_ = std::make_unique<VersionedObjects>(store_, recovered.objects);
    images_ = std::make_unique<ImageShelf>(store_, ciphers_, recovered.image, [this] { distribute_image(); });
    engine_ = std::make_unique<ReadingEngine>(settings_.engine, store_, ciphers_, random_, recovered);
    device_ = std::make_unique<LogicalDevice>(settings_.number, store_, *objects_, ports());
    uplink_ = std::make_unique<Uplink>(settings_.uplink, *device_, ciphers_, random_);
    if (!recovered.mesh_state.empty() && !mesh_->restore_state(recovered.mesh_state)) {
        actions_.push_back(Note{"the stored mesh state is not of this version: the mesh is formed anew"});
    }
    objects_changed(dcu::objects::limits);
    objects_changed(dcu::objects::reading_plan);
    load_meters();
    distribute_image();
}
Core::~Core() = default;

DevicePorts Core::ports() {
    DevicePorts ports;
    ports.images = images_.get();
    ports.topology = [this] { return topology(); };
    ports.statistics = [this] { return mesh_->statistics(); };
    ports.uplink = [this] { return uplink_state(); };
    ports.time = [this] { return std::pair{now_.utc, now_.doubtful}; };
    ports.set_time = [this](Instant truth) {
        if (!clock_.trusted()) actions_.push_back(Note{"the head-end has set the clock"});
        clock_.set(truth, elapsed_);
        now_ = clock_.at(elapsed_);
    };
    ports.objects_changed = [this](const ObisCode& code) { objects_changed(code); };
    ports.read_again = [this](const auto& ranges, auto done) { engine_->backfill(ranges, std::move(done)); };
    ports.new_journal_id = [this] {
        JournalId id;
        random_.fill(id.octets);
        return id;
    };
    ports.certificate_request = [this] {
        return settings_.certificate_request ? settings_.certificate_request() : Buffer{};
    };
    ports.install_certificate = [this](Buffer certificate, std::function<void(bool)> done) {
        if (!settings_.install_certificate) return done(false);
        settings_.install_certificate(std::move(certificate), std::move(done));
    };
    return ports;
}

void Core::objects_changed(const ObisCode& code) {
    if (code == dcu::objects::reading_plan) return engine_->set_plan(objects_->reading_plan());
    if (code == dcu::objects::firmware_order) return distribute_image();
    if (code != dcu::objects::limits) return load_meters();
    const auto& limits = objects_->limits();
    store_.limit(limits.journal_entries_max);
    uplink_->set_heartbeat(std::chrono::seconds{std::max<std::uint16_t>(limits.heartbeat_s, 1)});
    uplink_->relay().set_transactions_max(std::max<std::uint8_t>(limits.transactions_max, 1));
}

void Core::load_meters() {
    const auto kek = ciphers_.key_wrap(settings_.kek);
    std::map<DeviceNumber, MeterKeys> keys;
    std::map<DeviceNumber, Key128> joins;
    for (const auto& wrapped : objects_->wrapped_keys().meters) {
        if (const auto join = unwrap_join(*kek, wrapped.wrapped)) joins.emplace(wrapped.number, *join);
        if (auto unwrapped = unwrap(*kek, wrapped.wrapped))
            keys.emplace(wrapped.number, std::move(*unwrapped));
    }
    std::vector<KeyedMeter> meters;
    std::vector<std::pair<DeviceNumber, Key128>> members;
    std::set<DeviceNumber> numbers;
    std::vector<DeviceNumber> collectors;
    std::size_t keyless = 0;
    for (const auto& listed : objects_->meter_list().meters) {
        if (listed.role == dcu::MeterRole::collector) {  // nothing to read there
            collectors.push_back(listed.number);
            const auto join = joins.find(listed.number);
            if (join != joins.end()) members.emplace_back(listed.number, join->second);
            keyless += join == joins.end() ? 1 : 0;
            continue;
        }
        const auto found = keys.find(listed.number);
        KeyedMeter meter{listed, std::nullopt};
        if (found != keys.end()) {
            meter.keys = found->second;
            members.emplace_back(listed.number, found->second.join);
        } else {
            ++keyless;
        }
        numbers.insert(listed.number);
        meters.push_back(std::move(meter));
    }
    if (keyless > 0 && !keys.empty()) {
        actions_.push_back(
            Note{std::to_string(keyless) + " listed meters have no key that our key-encryption key opens"});
    }
    meters_ = std::move(meters);
    mesh_->set_collectors(collectors);
    mesh_->set_meters(members);
    set_leases();
    uplink_->relay().set_meters(std::move(numbers));
    choose_read();
}

void Core::set_leases() {
    std::vector<MemberLease> leases;
    leases.reserve(meters_.size());
    for (const auto& meter : meters_)
        leases.push_back({meter.listed.number, meter.listed.lease.join_counter, meter.listed.lease.here});
    mesh_->set_leases(leases);
}

/// Ours by the list, or it came to us later than the list knows.
bool Core::is_ours(const dcu::ListedMeter& listed) const {
    const auto claim = claims_.find(listed.number);
    if (listed.lease.here || claim == claims_.end()) return listed.lease.here;
    const bool wired = claim->second.join_counter == 0;
    return wired ? claim->second.term == listed.lease.term
                 : claim->second.join_counter > listed.lease.join_counter;
}

bool Core::reads(DeviceNumber meter) const {
    return std::any_of(meters_.begin(), meters_.end(), [&](const KeyedMeter& listed) {
        return listed.listed.number == meter && is_ours(listed.listed);
    });
}

/// Only one of the concentrators that list a meter reads it.
void Core::choose_read() {
    std::vector<KeyedMeter> ours;
    for (const auto& meter : meters_) {
        if (is_ours(meter.listed))
            ours.push_back(meter);
        else
            claims_.erase(meter.listed.number);
    }
    engine_->set_meters(ours);
}

std::vector<dcu::TopologyNode> Core::topology() const {
    auto nodes = mesh_->topology();
    // the mesh counts in steady time
    for (auto& node : nodes) {
        if (node.last_heard != Instant{}) node.last_heard = clock_.utc(node.last_heard);
    }
    return nodes;
}

void Core::at(Duration elapsed) {
    elapsed_ = std::max(elapsed, elapsed_);
    now_ = clock_.at(elapsed_);
}

void Core::tick(Duration elapsed) {
    at(elapsed);
    pump();
}

void Core::uplink_opened(Duration elapsed) {
    at(elapsed);
    uplink_->opened(now_);
    pump();
}

void Core::uplink_received(Bytes bytes, Duration elapsed) {
    at(elapsed);
    uplink_->receive(bytes, now_);
    pump();
}

void Core::uplink_closed(const std::string& reason, Duration elapsed) {
    at(elapsed);
    uplink_->closed(reason, now_);
    pump();
}

void Core::uplink_probed(std::size_t way, bool answered, Duration elapsed) {
    at(elapsed);
    uplink_->probed(way, answered, now_);
    pump();
}

void Core::uplink_bearer(const std::string& bearer, bool available, Duration elapsed) {
    at(elapsed);
    uplink_->set_bearer(bearer, available, now_);
    pump();
}

dcu::UplinkState Core::uplink_state() const {
    const auto& ways = uplink_->ways();
    dcu::UplinkState state{.current = static_cast<std::uint8_t>(ways.current()),
                           .since = clock_.utc(uplink_->since()),
                           .moves = ways.moves(),
                           .returns = ways.returns(),
                           .ways = {},
                           .cellular = cellular_};
    for (std::size_t i = 0; i < ways.ways().size(); ++i) {
        const auto& counts = ways.counts(i);
        state.ways.push_back({.bearer = ways.ways()[i].bearer,
                              .address = ways.ways()[i].address,
                              .available = ways.available(i),
                              .calls = counts.calls,
                              .sessions = counts.sessions,
                              .failures = counts.failures,
                              .probes = counts.probes,
                              .probes_answered = counts.probes_answered,
                              .last_failure = counts.last_failure});
    }
    return state;
}

void Core::radio_connected(Duration elapsed) {
    at(elapsed);
    radio_ = {};
    mesh_->module_connected(now_.steady);
    pump();
}

void Core::renew_net_key(Duration elapsed) {
    at(elapsed);
    mesh_->update_key(now_.steady);
    pump();
}

void Core::radio_received(Bytes bytes, Duration elapsed) {
    at(elapsed);
    radio_.feed(bytes);
    while (auto payload = radio_.next()) mesh_->receive(*payload, now_.steady);
    pump();
}

std::optional<Action> Core::take_action() {
    if (actions_.empty()) return std::nullopt;
    auto action = std::move(actions_.front());
    actions_.pop_front();
    return action;
}

Duration Core::next_deadline() const {
    Instant next = std::min({mesh_->next_deadline(), engine_->next_deadline(), uplink_->next_deadline()});
    if (clock_.trusted()) next = std::min(next, erase_at_);
    if (mesh_unsaved() && !saving_mesh_) next = std::min(next, save_at_);
    if (next == never) return Duration::max();
    return elapsed_ + (next - now_.steady);
}

}  // namespace wattmesh::concentrator
