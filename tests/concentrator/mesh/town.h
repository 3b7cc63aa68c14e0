#pragma once
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "concentrator/mesh/mesh_root.h"
#include "security/ciphers.h"
#include "terminal-sim/radio/decibel.h"
#include "terminal-sim/radio/radio_field.h"

/// A field, its concentrators' mesh roots and the wires between them, in one virtual clock: for tests and
/// benchmarks.
namespace wattmesh::test {

inline constexpr Instant town_start{Duration{1'760'000'000'000'000}};  // 2025-10-09 08:53 UTC

class SeededRandom final : public Random {
public:
    explicit SeededRandom(std::uint64_t seed) : key_(sim::keyed(seed, 900, 0)) {}
    void fill(std::span<std::uint8_t> out) override {
        for (auto& octet : out) octet = static_cast<std::uint8_t>(sim::mixed(key_ + ++drawn_));
    }

private:
    std::uint64_t key_, drawn_ = 0;
};

inline DeviceNumber meter_number(std::size_t i) {
    std::string digits = std::to_string(540'000'000'000 + i);
    return *DeviceNumber::parse(digits);
}
inline DeviceNumber concentrator_number(std::size_t i) {
    return *DeviceNumber::parse(std::to_string(900'000'000'001 + i));
}
inline Key128 join_key(std::uint64_t seed, std::size_t i) {
    std::array<std::uint8_t, 16> octets{};
    for (std::size_t k = 0; k < octets.size(); ++k)
        octets[k] = static_cast<std::uint8_t>(sim::keyed(seed, 901, i, k));
    return Key128{octets};
}

struct Town {
    Town(const sim::LayoutRequest& request, sim::FieldSettings settings)
        : Town(sim::layout(request), settings, {}) {}
    /// Without `meters`, each has a number and a key of its own.
    Town(sim::Layout places, sim::FieldSettings settings, std::vector<sim::FieldMeter> meters)
        : layout(std::move(places)), seed(settings.seed) {
        for (std::size_t i = meters.size(); i < layout.meters.size(); ++i)
            meters.push_back({meter_number(i), join_key(seed, i), {}});
        std::vector<DeviceNumber> numbers;
        for (std::size_t i = 0; i < layout.concentrators.size(); ++i)
            numbers.push_back(concentrator_number(i));
        field = std::make_unique<sim::RadioField>(settings, layout, meters, numbers, ciphers);
        for (std::size_t i = 0; i < meters.size(); ++i)
            field->set_application(i, [this, i](Bytes payload, Instant, const sim::RadioField::Reply& reply) {
                ++executed[i];
                Buffer answer = to_buffer(payload);
                answer.resize(answer_size, static_cast<std::uint8_t>(i));
                reply(std::move(answer));
            });
        for (std::size_t k = 0; k < numbers.size(); ++k) start_root(k, settings.rate, {});
    }

    void start_root(std::size_t k, mesh::PhyRate rate, Bytes state) {
        if (roots.size() <= k) roots.resize(k + 1);
        randoms.push_back(std::make_unique<SeededRandom>(seed * 1'000 + randoms.size()));
        roots[k] = std::make_unique<concentrator::MeshRoot>(
            concentrator::RootSettings{.concentrator = concentrator_number(k),
                                       .pan = concentrator::pan_of(concentrator_number(same_pan ? 0 : k)),
                                       .rate = rate},
            ciphers, *randoms.back());
        if (!state.empty() && !roots[k]->restore_state(state)) throw std::runtime_error("mesh state refused");
        std::vector<std::pair<DeviceNumber, Key128>> list;
        for (std::size_t i = 0; i < layout.meters.size(); ++i)
            if (layout.meters[i].concentrator == k) list.emplace_back(meter_number(i), join_key(seed, i));
        roots[k]->set_meters(list);
    }

    Instant now() const { return field->now(); }

    /// Runs until `until`; `on_event` sees every event of every root.
    template <class OnEvent>
    void run_until(Instant until, OnEvent&& on_event) {
        for (;;) {
            Instant next = until;
            for (const auto& root : roots)
                if (root) next = std::min(next, std::max(root->next_deadline() - root_clock, now()));
            const Instant at = field->run_until_output(next);
            for (std::size_t k = 0; k < roots.size(); ++k) {
                const Instant root_at = at + root_clock;
                while (auto payload = field->take(k)) {
                    if (on_host) on_host(k, *payload, at);
                    if (roots[k]) roots[k]->receive(*payload, root_at);
                }
                if (!roots[k]) continue;
                if (roots[k]->next_deadline() <= root_at) roots[k]->tick(root_at);
                while (auto event = roots[k]->take_event()) on_event(k, *event, at);
                while (auto payload = roots[k]->take_output()) field->feed(k, *payload);
            }
            if (at >= until) return;
        }
    }
    void run_for(Duration span) {
        run_until(now() + span, [](std::size_t, const concentrator::MeshEvent&, Instant) {});
    }

    struct ReadResult {
        bool answered = false, first_try = false, alternative = false;
        Duration took{};
        Buffer payload;
    };
    ReadResult read(std::size_t meter, Duration deadline = Duration{10'000'000}) {
        const auto k = layout.meters[meter].concentrator;
        const Instant began = now();
        const auto handle = roots[k]->send(meter_number(meter), {1, 2, 3, static_cast<std::uint8_t>(meter)},
                                           2, began + root_clock, deadline);
        while (auto payload = roots[k]->take_output()) field->feed(k, *payload);
        ReadResult result;
        bool done = false;
        while (!done && now() < began + deadline + Duration{1'000'000})
            run_until(now() + Duration{20'000},
                      [&](std::size_t at, const concentrator::MeshEvent& event, Instant when) {
                          if (at != k) return;
                          if (const auto* answer = std::get_if<concentrator::MeshAnswer>(&event);
                              answer && answer->handle == handle) {
                              result = {true, answer->first_try, answer->alternative_used, when - began,
                                        answer->payload};
                              done = true;
                          }
                          if (const auto* failure = std::get_if<concentrator::MeshFailure>(&event);
                              failure && failure->handle == handle)
                              done = true;
                      });
        return result;
    }

    security::OpensslCiphers ciphers;
    sim::Layout layout;
    std::uint64_t seed;
    std::unique_ptr<sim::RadioField> field;
    std::vector<std::unique_ptr<SeededRandom>> randoms;
    std::vector<std::unique_ptr<concentrator::MeshRoot>> roots;
    std::map<std::size_t, int> executed;
    std::size_t answer_size = 120;
    bool same_pan = false;  ///< of roots started from now on: all in the PAN of the first
    Duration root_clock{};  ///< what the roots' clocks are ahead of the field's
    /// Sees what a module says to its host.
    std::function<void(std::size_t concentrator, Bytes payload, Instant)> on_host;
};

/// Runs until everybody whom the oracle reaches has joined, or for `limit`.
inline std::set<DeviceNumber> form(Town& town, Duration limit) {
    std::set<DeviceNumber> joined;
    std::size_t wanted = town.layout.meters.size();
    const Instant end = town.now() + limit;
    town.run_until(town.now() + Duration{3'000'000},
                   [&](std::size_t, const concentrator::MeshEvent& event, Instant) {
                       if (const auto* one = std::get_if<concentrator::MeshJoined>(&event))
                           joined.insert(one->meter);
                   });
    wanted = 0;
    for (const int hops : town.field->oracle_hops()) wanted += hops > 0 ? 1 : 0;
    while (joined.size() < wanted && town.now() < end)
        town.run_until(town.now() + Duration{500'000},
                       [&](std::size_t, const concentrator::MeshEvent& event, Instant) {
                           if (const auto* one = std::get_if<concentrator::MeshJoined>(&event))
                               joined.insert(one->meter);
                       });
    return joined;
}

inline dcu::TopologyNode node_of(const Town& town, std::size_t meter) {
    for (const auto& node : town.roots[town.layout.meters[meter].concentrator]->topology())
        if (node.number == meter_number(meter)) return node;
    return {};
}

}  // namespace wattmesh::test
