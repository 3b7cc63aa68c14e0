#include "terminal-sim/radio/radio_field.h"

#include <cassert>

#include "terminal-sim/radio/kernel.h"

namespace wattmesh::sim {
RadioField::RadioField(FieldSettings settings, const Layout& layout, std::vector<FieldMeter> meters,
                       const std::vector<DeviceNumber>& concentrators, Ciphers& ciphers)
    : kernel_(std::make_shared<Kernel>(settings, layout, std::move(meters), concentrators, ciphers)) {}
RadioField::~RadioField() = default;

void RadioField::set_application(DeviceNumber meter, Application application) {
    if (Station* station = kernel_->find(meter)) station->application = std::move(application);
}

void RadioField::set_application(std::size_t meter, Application application) {
    kernel_->stations.at(meter)->application = std::move(application);
}

void RadioField::set_image_flash(std::size_t meter, mesh::ImageFlash* flash) {
    kernel_->stations.at(meter)->image_flash = flash;
}

void RadioField::set_program(std::size_t station, ProgramMaker maker) {
    kernel_->stations.at(station)->make_program = std::move(maker);
}

void RadioField::with_program(std::size_t station, const std::function<void(RadioProgram&, Instant)>& call) {
    Station& one = *kernel_->stations.at(station);
    if (!one.alive || !one.program) return;
    call(*one.program, one.clock.at(kernel_->now));
    kernel_->pump(one);
}

bool RadioField::radiate(std::size_t meter, Buffer psdu) {
    Station& station = *kernel_->stations.at(meter);
    assert(!station.alive && !psdu.empty());
    if (!kernel_->air.powered(meter)) kernel_->air.power(meter, true);
    if (kernel_->air.busy(meter)) return false;
    kernel_->send(station, std::move(psdu), Duration{1'000}, true);
    return true;
}

void RadioField::jam(const Air::Jam& jam, bool on) { kernel_->air.jam(jam, on, kernel_->now); }

bool RadioField::notify(DeviceNumber node, Buffer payload) {
    Station* station = kernel_->find(node);
    if (station == nullptr || !station->alive || !station->node) return false;
    const bool sent = station->node->notify(std::move(payload), station->clock.at(kernel_->now));
    kernel_->schedule(*station);
    return sent;
}

void RadioField::set_observer(Observer observer) { kernel_->observer = std::move(observer); }

void RadioField::feed(std::size_t concentrator, Bytes host_payload) {
    Station& station = *kernel_->stations.at(kernel_->meter_count + concentrator);
    if (!station.alive) return;
    station.module->host_received(host_payload, station.clock.at(kernel_->now));
    kernel_->pump(station);
}

std::optional<Buffer> RadioField::take(std::size_t concentrator) {
    Station& station = *kernel_->stations.at(kernel_->meter_count + concentrator);
    return station.alive ? station.module->take() : std::nullopt;
}

void RadioField::run_until(Instant now) {
    while (!kernel_->run_until(now)) continue;
}
Instant RadioField::run_until_output(Instant now) {
    kernel_->run_until(now);
    return kernel_->now;
}
Instant RadioField::now() const { return kernel_->now; }
Instant RadioField::next_event() const { return kernel_->events.empty() ? never : kernel_->events.top().at; }

bool RadioField::kill(DeviceNumber device) {
    Station* station = kernel_->find(device);
    if (station == nullptr) return false;
    kernel_->power_off(*station);
    return true;
}

bool RadioField::revive(DeviceNumber device) {
    Station* station = kernel_->find(device);
    if (station == nullptr) return false;
    kernel_->power_on(*station);
    return true;
}

bool RadioField::darken(DeviceNumber device) {
    Station* station = kernel_->find(device);
    if (station == nullptr) return false;
    if (station->alive) kernel_->power_fails(*station);
    return true;
}

bool RadioField::alive(DeviceNumber device) const {
    const Station* station = kernel_->find(device);
    return station != nullptr && station->alive;
}

bool RadioField::alive(std::size_t station) const { return kernel_->stations.at(station)->alive; }

bool RadioField::joined(DeviceNumber meter) const {
    const Station* station = kernel_->find(meter);
    return station != nullptr && station->node && station->node->joined();
}

Buffer RadioField::save_state(DeviceNumber meter) const {
    const Station* station = kernel_->find(meter);
    return station == nullptr ? Buffer{} : station->state;
}

Oracle& RadioField::Kernel::oracle() {
    if (!oracle_) oracle_ = std::make_unique<Oracle>(channel, meter_count, settings.rate);
    return *oracle_;
}

std::vector<int> RadioField::oracle_hops() const {
    std::vector<bool> alive;
    for (const auto& station : kernel_->stations) alive.push_back(station->alive);
    kernel_->oracle().look(kernel_->now);
    auto hops = kernel_->oracle().tree(alive).hops;
    hops.resize(kernel_->meter_count);
    return hops;
}

mesh::NodeCounters RadioField::node_counters() const {
    mesh::NodeCounters sum;
    for (const auto& station : kernel_->stations)
        if (station->node) sum += station->node->counters();
    return sum;
}
RadioField::Duty RadioField::fullest_hour() const {
    Duty duty;
    for (std::size_t i = 0; i < kernel_->stations.size(); ++i) {
        auto& worst = i < kernel_->meter_count ? duty.meter : duty.concentrator;
        worst = std::max(worst, kernel_->stations[i]->ledger.most_used());
    }
    return duty;
}

const mesh::Node* RadioField::node(std::size_t meter) const {
    return kernel_->stations.at(meter)->node.get();
}
const Channel& RadioField::channel() const { return kernel_->channel; }
FieldCounters RadioField::counters() const { return kernel_->counters; }
std::uint64_t RadioField::trace_hash() const { return kernel_->trace_hash; }

}  // namespace wattmesh::sim
