#include <algorithm>

#include "concentrator/core.h"
#include "protocol/dcu/firmware.h"

namespace wattmesh::concentrator {
namespace {

constexpr int on_demand = 2, scheduled = 3;  // priorities of the mesh
constexpr Duration relay_deadline = std::chrono::seconds{60};
constexpr Duration relay_linger =
    std::chrono::seconds{5};  // the head-end's next request of the same talk may follow
constexpr Duration erase_interval = std::chrono::hours{1};
constexpr Duration image_patience = std::chrono::hours{24};
constexpr Duration save_retry = std::chrono::seconds{5};

}  // namespace

/// What the head-end ordered goes to the meters as soon as the image is whole. Nothing is remembered: the
/// order and the image are durable, and how far a meter is the meter says.
void Core::distribute_image() {
    const auto& order = objects_->firmware_order();
    const Bytes octets = images_->whole(order.image);
    // Without the right time the order's end is not known: the head-end takes it back when it is over.
    const auto patience = now_.doubtful ? image_patience : order.ends - now_.utc;
    mesh_->stop_image();
    if (order.number == 0 || octets.empty() || patience <= Duration{}) return;
    ImageOrder wanted{.number = order.number, .octets = to_buffer(octets), .patience = patience};
    std::set<DeviceNumber> wired;
    for (const auto& node : mesh_->topology())
        if (node.sub_address != 0) wired.insert(node.number);
    for (const auto& meter : order.meters) {
        if (!wired.contains(meter)) {
            wanted.meters.push_back(meter);
            continue;
        }
        journal(meter, dcu::EntryKind::image_told,
                dcu::encode(dcu::ImageTold{.number = order.number,
                                           .state = dcu::ImageState::refused,
                                           .trouble = dcu::ImageTrouble::on_wire}));
    }
    if (mesh_->distribute_image(std::move(wanted), now_.steady))
        actions_.push_back(Note{"firmware image " + std::to_string(order.number) + ": goes to " +
                                std::to_string(order.meters.size()) + " meters"});
}

/// Lets every part do what is due until none has anything for another.
void Core::pump() {
    if (!started_) {
        started_ = true;
        journal({}, dcu::EntryKind::started, {});
    }
    mesh_->tick(now_.steady);
    uplink_->tick(now_);
    hold_wanted();
    engine_->tick(now_);
    for (bool moved = true; moved;) {
        moved = pump_requests();
        moved = pump_events() || moved;
        if (moved) engine_->tick(now_);
    }
    while (auto frame = mesh_->take_output()) actions_.push_back(SendRadio{mesh::host::frame_stream(*frame)});
    uplink_->flush_relay();
    while (auto action = uplink_->take_action()) actions_.push_back(std::move(*action));
    save_mesh();
    erase_old();
}

/// A meter that the head-end talks with, or wants to, is not read by us meanwhile.
void Core::hold_wanted() {
    for (const auto& meter : uplink_->relay().wanted()) engine_->hold(meter, now_.steady + relay_linger);
}

bool Core::pump_requests() {
    bool moved = false;
    auto& relay = uplink_->relay();
    while (auto talk =
               relay.take_talk([this](const DeviceNumber& meter) { return !engine_->reading(meter); })) {
        moved = true;
        const auto handle =
            mesh_->send(talk->meter, std::move(talk->payload), on_demand, now_.steady, relay_deadline);
        talks_[handle] = {talk->meter, true};
    }
    while (auto request = engine_->take_request()) {
        moved = true;
        const auto handle = mesh_->send(request->meter, std::move(request->payload), scheduled, now_.steady,
                                        request->deadline);
        talks_[handle] = {request->meter, false};
    }
    return moved;
}

bool Core::pump_events() {
    bool moved = false;
    while (auto event = mesh_->take_event()) {
        moved = true;
        std::visit([this](const auto& happened) { on(happened); }, *event);
    }
    return moved;
}

void Core::on(const MeshAnswer& answer) {
    const auto talk = talks_.extract(answer.handle);
    if (talk.empty()) return;
    const auto [meter, relayed] = talk.mapped();
    if (!relayed) return engine_->answered(meter, answer.payload, now_);
    uplink_->relay().answered(meter, answer.payload);
    engine_->hold(meter, now_.steady + relay_linger);
}

void Core::on(const MeshFailure& failure) {
    const auto talk = talks_.extract(failure.handle);
    if (talk.empty()) return;
    const auto [meter, relayed] = talk.mapped();
    if (!relayed) return engine_->failed(meter, failure.reason, now_);
    uplink_->relay().failed(meter);
    engine_->hold(meter, now_.steady);
}

void Core::on(const MeshJoined& joined) {
    journal(joined.meter, dcu::EntryKind::meter_joined, dcu::encode(joined.link));
    for (const auto& meter : meters_) {
        if (meter.listed.number != joined.meter || meter.listed.lease.here) continue;
        claims_[joined.meter] = {meter.listed.lease.term, joined.link.join_counter};
        choose_read();
        break;
    }
    engine_->joined(joined.meter, now_);
}
void Core::on(const MeshLost& lost) { journal(lost.meter, dcu::EntryKind::meter_lost, {}); }
void Core::on(const MeshUnknown& unknown) { journal(unknown.meter, dcu::EntryKind::unknown_meter, {}); }
void Core::on(const MeshImpostor& impostor) { journal(impostor.meter, dcu::EntryKind::join_forged, {}); }
void Core::on(const MeshDeleted& deleted) { journal(deleted.meter, dcu::EntryKind::meter_deleted, {}); }

void Core::on(const MeshPower& power) {
    if (!power.on)
        return journal(power.meter, dcu::EntryKind::power_lost, dcu::encode(dcu::PowerLoss{power.inferred}));
    journal(power.meter, dcu::EntryKind::power_back, {});
    engine_->joined(power.meter, now_);  // what could not be read meanwhile is read now
}

void Core::on(const MeshOutage& happened) {
    journal({}, dcu::EntryKind::outage, dcu::encode(happened.outage));
    actions_.push_back(Note{"power cut: " + std::to_string(happened.outage.reported) + " of " +
                            std::to_string(happened.outage.members) + " meters said so, " +
                            std::to_string(happened.outage.inferred) + " more are silent"});
}

void Core::on(const MeshRestored& restored) {
    journal({}, dcu::EntryKind::outage_end, dcu::encode(restored.end));
    actions_.push_back(Note{"power is back: " + std::to_string(restored.end.back) + " meters, " +
                            std::to_string(restored.end.missing) + " still dark"});
}

void Core::on(const MeshEvicted& evicted) {
    journal(evicted.meter, dcu::EntryKind::relay_evicted, {});
    actions_.push_back(
        Note{"meter " + to_string(evicted.meter) +
             " took packets of others and dropped them; it is put out of the mesh for a while"});
}
void Core::on(const MeshCloned& cloned) {
    journal(cloned.meter, dcu::EntryKind::meter_cloned, {});
    actions_.push_back(
        Note{"two devices answer as meter " + to_string(cloned.meter) + ": both are out of the mesh"});
}
void Core::on(const MeshPanClash& happened) {
    const auto& clash = happened.clash;
    journal({}, dcu::EntryKind::pan_clash, dcu::encode(clash));
    const auto where =
        clash.moved_to == 0 ? std::string{"it shall move"} : "moved to PAN " + std::to_string(clash.moved_to);
    actions_.push_back(Note{"concentrator " + to_string(clash.other) + " uses our PAN " +
                            std::to_string(clash.pan) + " as well: " + where});
}

void Core::on(const MeshImageNews& told) {
    const auto& news = told.news;
    journal(news.meter, dcu::EntryKind::image_told,
            dcu::encode(dcu::ImageTold{.number = told.number,
                                       .state = static_cast<dcu::ImageState>(news.state),
                                       .blocks = static_cast<std::uint16_t>(told.blocks),
                                       .missing = static_cast<std::uint16_t>(news.missing),
                                       .trouble = static_cast<dcu::ImageTrouble>(news.trouble)}));
}
void Core::on(const MeshImageEnded& ended) {
    const auto& at = ended.progress;
    actions_.push_back(Note{"firmware image " + std::to_string(ended.number) + ": " +
                            std::to_string(at.verified) + " of " + std::to_string(at.meters) +
                            " meters have verified it, " + std::to_string(at.failed + at.refused) +
                            " did not take it"});
}
void Core::on(const MeshContested& contested) {
    actions_.push_back(Note{"meter " + to_string(contested.meter) + " is claimed by two collectors in turn"});
}
void Core::on(const MeshCollectorFull& full) {
    actions_.push_back(Note{"collector " + to_string(full.collector) + " has no place for " +
                            std::to_string(full.refused) + " meters on its wire"});
}

void Core::journal(const DeviceNumber& meter, dcu::EntryKind kind, Buffer payload) {
    Commit commit;
    commit.entries.push_back({meter, kind, now_.utc, now_.doubtful, std::move(payload)});
    store_.commit(std::move(commit), [this](const std::optional<Directory>& directory) {
        if (!directory) actions_.push_back(Note{"the journal could not be written: is the disk full?"});
    });
}

void Core::machine_opened(MachineLine line, bool stays, Duration elapsed) {
    at(elapsed);
    uplink_->machines().opened(line, stays, now_);
    pump();
}

void Core::machine_received(MachineLine line, Bytes bytes, Duration elapsed) {
    at(elapsed);
    uplink_->machines().received(line, bytes, now_);
    pump();
}

void Core::machine_closed(MachineLine line, Duration elapsed) {
    at(elapsed);
    uplink_->machines().closed(line);
    pump();
}

void Core::save_mesh() {
    if (saving_mesh_ || !mesh_unsaved() || now_.steady < save_at_) return;
    saving_mesh_ = true;
    store_.put_mesh_state(mesh_->save_state(), [this](bool stored) {
        saving_mesh_ = false;
        save_failed_ = !stored;
        save_at_ = stored ? now_.steady : now_.steady + save_retry;
    });
}

void Core::erase_old() {
    if (!clock_.trusted() || now_.steady < erase_at_)
        return;  // what is old is known only with the right time
    erase_at_ = now_.steady + erase_interval;
    store_.erase(now_.utc - settings_.erase_after, [](const std::optional<Directory>&) {});
}

}  // namespace wattmesh::concentrator
