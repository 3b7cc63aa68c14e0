#include "concentrator/mesh/mesh_root.h"

#include "concentrator/mesh/mesh_core.h"

namespace wattmesh::concentrator {
namespace {
// We ask to be called every few seconds.
constexpr Duration step_forward{600'000'000}, step_back{-1'000'000};
}  // namespace

/// A clock that is put right and a machine that has slept are no time in which nobody was heard: time goes on
/// from where it was.
Instant MeshRoot::own_time(Instant now) {
    const Duration gone = now - called_at_;
    if (called_at_ != Instant{} && (gone > step_forward || gone < step_back)) ahead_ += gone;
    called_at_ = now;
    return now - ahead_;
}

MeshRoot::MeshRoot(RootSettings settings, Ciphers& ciphers, Random& random)
    : core_(std::make_unique<Core>(settings, ciphers, random)) {}
MeshRoot::~MeshRoot() = default;

void MeshRoot::set_meters(const std::vector<std::pair<DeviceNumber, Key128>>& meters) {
    core_->set_meters(meters);
}

void MeshRoot::set_collectors(const std::vector<DeviceNumber>& collectors) {
    core_->set_collectors(collectors);
}

std::uint32_t MeshRoot::send(DeviceNumber meter, Buffer payload, int priority, Instant now,
                             Duration deadline) {
    return core_->send(meter, std::move(payload), priority, own_time(now), deadline, false);
}

void MeshRoot::receive(Bytes host_frame_payload, Instant now) {
    core_->receive(host_frame_payload, own_time(now));
}
void MeshRoot::tick(Instant now) { core_->tick(own_time(now)); }
Instant MeshRoot::next_deadline() const {
    const Instant next = core_->next_deadline();
    return next == never ? never : next + ahead_;
}

std::optional<Buffer> MeshRoot::take_output() {
    if (core_->output.empty()) return std::nullopt;
    Buffer payload = std::move(core_->output.front());
    core_->output.pop_front();
    return payload;
}

std::optional<MeshEvent> MeshRoot::take_event() {
    if (core_->events.empty()) return std::nullopt;
    MeshEvent event = std::move(core_->events.front());
    core_->events.pop_front();
    if (auto* outage = std::get_if<MeshOutage>(&event)) outage->began += ahead_;
    return event;
}

void MeshRoot::set_leases(const std::vector<MemberLease>& leases) { core_->set_leases(leases); }
void MeshRoot::update_key(Instant now) { core_->update_key(own_time(now)); }
bool MeshRoot::distribute_image(ImageOrder order, Instant now) {
    return core_->distribute_image(std::move(order), own_time(now));
}
void MeshRoot::stop_image() { core_->stop_image(); }
std::optional<ImageSender::Progress> MeshRoot::image_progress() const {
    return core_->image ? std::optional{core_->image->sender.progress()} : std::nullopt;
}
void MeshRoot::module_connected(Instant now) { core_->connected(own_time(now)); }

std::vector<dcu::TopologyNode> MeshRoot::topology() const {
    auto nodes = core_->topology();
    for (auto& node : nodes)
        if (node.last_heard != Instant{}) node.last_heard += ahead_;
    return nodes;
}
std::optional<std::vector<DeviceNumber>> MeshRoot::route(DeviceNumber meter) const {
    const WiredPlace* place = core_->wired.place(meter);
    const Member* member = core_->members.find(place != nullptr ? place->collector : meter);
    if (member == nullptr || member->address == 0 || !core_->tree.reaches(member->address))
        return std::nullopt;
    std::vector<DeviceNumber> relays;
    for (const auto relay : core_->tree.route(member->address).relays)
        relays.push_back(core_->number_of(relay));
    if (place != nullptr) relays.push_back(place->collector);
    return relays;
}
std::uint16_t MeshRoot::pan() const { return core_->pan; }
dcu::Statistics MeshRoot::statistics() const { return core_->statistics; }

int MeshRoot::in_flight() const {
    int count = static_cast<int>(core_->wired_requests.size());
    for (const auto& [handle, transaction] : core_->transactions) count += transaction.probe ? 0 : 1;
    return count;
}

Buffer MeshRoot::save_state() {
    core_->dirty = false;
    return core_->save();
}
bool MeshRoot::restore_state(Bytes state) { return core_->restore(state); }
bool MeshRoot::state_dirty() const { return core_->dirty; }

}  // namespace wattmesh::concentrator
