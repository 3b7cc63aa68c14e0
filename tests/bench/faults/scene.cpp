#include "tests/bench/faults/scene.h"

#include <algorithm>

namespace wattmesh::bench {
namespace {

using namespace std::chrono_literals;
constexpr std::size_t handed_over_max = 3, request_size = 84, answer_size = 64;
constexpr Duration deadline = 10s, ask_again = 2s;

Buffer marked(std::uint32_t mark, std::size_t meter, std::size_t size) {
    Buffer payload(size, 7);
    for (std::size_t i = 0; i < 4; ++i) payload[i] = static_cast<std::uint8_t>(mark >> (8 * i));
    for (std::size_t i = 0; i < 2; ++i) payload[4 + i] = static_cast<std::uint8_t>(meter >> (8 * i));
    return payload;
}
std::uint32_t mark_of(Bytes payload) {
    std::uint32_t mark = 0;
    for (std::size_t i = 0; i < 4; ++i) mark |= std::uint32_t{payload[i]} << (8 * i);
    return mark;
}

}  // namespace

double Reads::share_first() const {
    const auto good = std::count_if(of.begin(), of.end(), [](const auto& one) { return one.second.first; });
    return of.empty() ? 1 : static_cast<double>(good) / static_cast<double>(of.size());
}
double Reads::share_within(double seconds) const {
    const auto good = std::count_if(of.begin(), of.end(), [&](const auto& one) {
        return one.second.answered_s && *one.second.answered_s <= seconds;
    });
    return of.empty() ? 1 : static_cast<double>(good) / static_cast<double>(of.size());
}
std::optional<double> Reads::last_s() const {
    double last = 0;
    for (const auto& [meter, one] : of) {
        if (!one.answered_s) return std::nullopt;
        last = std::max(last, *one.answered_s);
    }
    return last;
}
std::size_t Reads::unanswered() const {
    return static_cast<std::size_t>(
        std::count_if(of.begin(), of.end(), [](const auto& one) { return !one.second.answered_s; }));
}

std::optional<std::size_t> meter_of(DeviceNumber number, std::size_t meters) {
    const auto index = static_cast<std::size_t>(number.integer() - test::meter_number(0).integer());
    return index < meters ? std::optional{index} : std::nullopt;
}

Scene::Scene(sim::Layout layout, std::uint64_t seed, std::vector<sim::FieldMeter> meters)
    : town(std::move(layout), {.seed = seed, .start = test::town_start}, std::move(meters)),
      oracle_(town.field->channel(), town.layout.meters.size(), mesh::PhyRate::kbit50) {
    town.field->set_observer([this](std::size_t station, Bytes psdu, Instant now) {
        watch.frame(station, psdu, now);
        if (on_frame) on_frame(station, psdu, now);
    });
    for (std::size_t i = 0; i < size(); ++i)
        town.field->set_application(i,
                                    [this, i](Bytes payload, Instant, const sim::RadioField::Reply& reply) {
                                        const auto mark = payload.size() < 4 ? 0 : mark_of(payload);
                                        if (mark != 0 && !executed_.emplace(i, mark).second) ++executed_twice;
                                        reply(marked(mark, i, answer_size));
                                    });
}

void Scene::run_for(Duration span, const std::function<bool()>& enough) {
    const Instant until = town.now() + span;
    while (town.now() < until && !(enough && enough())) {
        const Instant from = town.now();
        town.run_until(enough || on_slice ? std::min(until, from + slice) : until,
                       [this](std::size_t root, const concentrator::MeshEvent& one, Instant at) {
                           if (on_root_event) on_root_event(root, one);
                           event(one, at);
                       });
        if (on_slice) on_slice(town.now() - from);
    }
}

void Scene::event(const concentrator::MeshEvent& event, Instant at) {
    if (on_event) on_event(event, at);
    if (const auto* one = std::get_if<concentrator::MeshLost>(&event)) {
        ++lost_events;
        if (const auto meter = meter_of(one->meter, size())) lost.insert(*meter);
    }
    if (const auto* one = std::get_if<concentrator::MeshUnknown>(&event))
        if (const auto meter = meter_of(one->meter, size())) unknown.insert(*meter);
    if (const auto* one = std::get_if<concentrator::MeshJoined>(&event))
        if (const auto meter = meter_of(one->meter, size()); meter && joined_) joined_(*meter);
    const auto done = [&](std::uint32_t handle, const Buffer* answer) {
        const auto node = open_.extract(handle);
        if (!node) return;
        const auto [meter, mark] = node.mapped();
        if (answer != nullptr && *answer != marked(mark, meter, answer_size)) ++wrong_answers;
        if (finished_) finished_(meter, answer != nullptr, at);
    };
    if (const auto* answer = std::get_if<concentrator::MeshAnswer>(&event))
        done(answer->handle, &answer->payload);
    if (const auto* failure = std::get_if<concentrator::MeshFailure>(&event)) done(failure->handle, nullptr);
    refill(at);
}

/// Who is not joined fails at once: asked again at the same instant, it would fail for ever.
void Scene::again(std::size_t meter, Instant at) { later_.emplace(at + ask_again, meter); }

void Scene::stop() {
    queue_.clear();
    later_.clear();
    open_.clear();
    finished_ = {};
    joined_ = {};
}

void Scene::refill(Instant at) {
    while (!later_.empty() && later_.begin()->first <= at) {
        queue_.push_back(later_.begin()->second);
        later_.erase(later_.begin());
    }
    while (!queue_.empty() && open_.size() < handed_over_max) {
        const auto meter = queue_.front();
        queue_.pop_front();
        const auto mark = ++marks_;
        const auto handle = town.roots[0]->send(test::meter_number(meter), marked(mark, meter, request_size),
                                                3, at + town.root_clock, deadline);
        open_[handle] = {meter, mark};
    }
}

std::vector<std::size_t> Scene::reachable() {
    std::vector<bool> alive;
    for (std::size_t i = 0; i < size() + town.layout.concentrators.size(); ++i)
        alive.push_back(town.field->alive(i) && !outside.contains(i));
    oracle_.look(town.now());
    tree_ = oracle_.tree(alive);
    std::vector<std::size_t> meters;
    for (std::size_t i = 0; i < size(); ++i)
        if (tree_.reaches(i)) meters.push_back(i);
    return meters;
}

std::vector<std::size_t> Scene::relays_of(std::size_t meter) const {
    std::vector<std::size_t> relays;
    if (const auto route = town.roots[0]->route(test::meter_number(meter)))
        for (const auto number : *route)
            if (const auto relay = meter_of(number, size())) relays.push_back(*relay);
    return relays;
}

std::optional<double> Scene::form(Duration patience) {
    const Instant began = town.now();
    std::set<std::size_t> joined;
    joined_ = [&](std::size_t meter) {
        joined.insert(meter);
        if (finished_) queue_.push_back(meter);
    };
    run_for(3s);
    const auto list = reachable();
    std::set<std::size_t> unread(list.begin(), list.end());
    finished_ = [&](std::size_t meter, bool answered, Instant at) {
        if (answered)
            unread.erase(meter);
        else
            again(meter, at);
    };
    queue_.assign(joined.begin(), joined.end());
    run_for(patience - 3s, [&] {
        refill(town.now());
        return unread.empty();
    });
    stop();
    if (!unread.empty()) return std::nullopt;
    return in_seconds(town.now() - began);
}

Reads Scene::read(const std::vector<std::size_t>& meters, Duration patience) {
    Reads reads;
    const Instant began = town.now();
    std::set<std::size_t> asked_once;
    std::size_t left = meters.size();
    for (const auto meter : meters) reads.of[meter] = {};
    finished_ = [&](std::size_t meter, bool answered, Instant at) {
        const bool first = asked_once.insert(meter).second;
        if (answered) {
            reads.of[meter] = {first, in_seconds(at - began)};
            --left;
        } else if (at - began < patience) {
            again(meter, at);
        } else {
            --left;
        }
    };
    queue_.assign(meters.begin(), meters.end());
    const Duration longest = deadline * static_cast<std::int64_t>(meters.size() + 1) + patience;
    while (left > 0 && town.now() - began < longest) {
        refill(town.now());
        run_for(100ms);
    }
    stop();
    return reads;
}

std::optional<double> Scene::round_s() { return read(reachable(), 900s).last_s(); }

std::map<std::size_t, int> Scene::deleted() const {
    std::map<std::size_t, int> found;
    for (const auto& node : town.roots[0]->topology())
        if (const auto meter = meter_of(node.number, size());
            meter && !outside.contains(*meter) && node.short_address == 0)
            found[*meter] = 1;
    return found;
}

std::size_t Scene::ghosts() const {
    std::size_t count = 0;
    for (const auto& entry : town.roots[0]->topology()) {
        const auto meter = meter_of(entry.number, size());
        if (!meter || outside.contains(*meter)) continue;
        const auto* node = town.field->node(*meter);
        const bool listed = entry.state == dcu::NodeState::joined;
        const bool present = node != nullptr && node->attached();
        if (listed != present || (listed && node->state().short_address != entry.short_address)) ++count;
    }
    return count;
}

}  // namespace wattmesh::bench
