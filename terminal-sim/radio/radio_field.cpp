#include "terminal-sim/radio/radio_field.h"

#include <cassert>
#include <deque>

#include "terminal-sim/radio/kernel.h"

namespace wattmesh::sim {
namespace {
constexpr std::size_t frame_bytes = 80, ack_bytes = 22;  // mesh design 3: what "usable" is measured with
constexpr int hops_max = 15;
}  // namespace

RadioField::RadioField(FieldSettings settings, const Layout& layout, std::vector<FieldMeter> meters,
                       const std::vector<DeviceNumber>& concentrators, Ciphers& ciphers)
    : kernel_(std::make_shared<Kernel>(settings, layout, std::move(meters), concentrators, ciphers)) {}
RadioField::~RadioField() = default;

void RadioField::set_application(DeviceNumber meter, Application application) {
    if (Station* station = kernel_->find(meter)) station->application = std::move(application);
}

void RadioField::feed(std::size_t concentrator, Bytes host_payload) {
    Station& station = *kernel_->stations.at(kernel_->meter_count + concentrator);
    if (!station.alive) return;
    station.module->host_received(host_payload, kernel_->now);
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

bool RadioField::alive(DeviceNumber device) const {
    const Station* station = kernel_->find(device);
    return station != nullptr && station->alive;
}

bool RadioField::joined(DeviceNumber meter) const {
    const Station* station = kernel_->find(meter);
    return station != nullptr && station->node && station->node->joined();
}

Buffer RadioField::save_state(DeviceNumber meter) const {
    const Station* station = kernel_->find(meter);
    return station == nullptr ? Buffer{} : station->state;
}

bool RadioField::Kernel::usable(std::size_t a, std::size_t b) const {
    const auto chance = [&](std::size_t from, std::size_t to, std::size_t size) {
        return std::uint64_t{
            channel.success(channel.slow_mdbm(from, to, now) - channel.noise_mdbm(to, now), size)};
    };
    const auto both = [&](std::size_t from, std::size_t to) {
        return chance(from, to, frame_bytes) * chance(to, from, ack_bytes);
    };
    constexpr std::uint64_t quarter = std::uint64_t{1} << 30;  // of 2^32
    return both(a, b) >= quarter && both(b, a) >= quarter;
}

std::vector<int> RadioField::oracle_hops() const {
    const Kernel& kernel = *kernel_;
    std::vector<int> hops(kernel.stations.size(), 0);
    std::deque<std::size_t> frontier;
    for (std::size_t i = kernel.meter_count; i < kernel.stations.size(); ++i)
        if (kernel.stations[i]->alive) frontier.push_back(i);
    while (!frontier.empty()) {
        const auto from = frontier.front();
        frontier.pop_front();
        if (hops[from] == hops_max) continue;
        for (const auto to : kernel.reach[from]) {
            if (to >= kernel.meter_count || hops[to] != 0 || !kernel.stations[to]->alive ||
                !kernel.usable(from, to))
                continue;
            hops[to] = hops[from] + 1;
            frontier.push_back(to);
        }
    }
    hops.resize(kernel.meter_count);
    return hops;
}

mesh::NodeCounters RadioField::node_counters() const {
    mesh::NodeCounters sum;
    for (const auto& station : kernel_->stations)
        if (station->node) sum += station->node->counters();
    return sum;
}
FieldCounters RadioField::counters() const { return kernel_->counters; }
std::uint64_t RadioField::trace_hash() const { return kernel_->trace_hash; }

}  // namespace wattmesh::sim
