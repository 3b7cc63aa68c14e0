#pragma once
#include "protocol/cosem/attribute.h"
#include "tests/terminal-sim/meter/town_street.h"

namespace wattmesh::sim {

/// One household's meter with a breaker, and what its management client gets.
struct House {
    explicit House(ImageMemory* memory = nullptr, const std::vector<Deed>& deeds = {}) : street(5) {
        MeterSettings made{.number = customer_number(0), .seed = 5, .installed_at = monday};
        made.image_memory = memory;
        meter.emplace(std::move(made), *street.customers[0], &street.customers[0]->supply(), nullptr);
        meter->replay(deeds);
    }
    dlms::Data value(const dlms::AttributeId& id, Instant now) {
        std::optional<dlms::ReadOutcome> outcome;
        meter->get(id, {}, management_client, now, [&](auto o) { outcome = std::move(o); });
        return std::get<dlms::Data>(outcome.value());
    }
    dlms::AccessResult write(const dlms::AttributeId& id, const dlms::Data& data, Instant now) {
        std::optional<dlms::AccessResult> result;
        meter->set(id, data, management_client, now, [&](auto r) { result = r; });
        return result.value();
    }
    dlms::AccessResult call(const cosem::MethodCall& method, Instant now) {
        std::optional<dlms::ActionOutcome> outcome;
        meter->act(method.id, method.argument, management_client, now,
                   [&](auto o) { outcome = std::move(o); });
        return outcome.value().result;
    }
    bool closed(Instant now) {
        meter->advance(now);
        return meter->closed(now);
    }

    Street street;
    std::optional<Meter> meter;
};

}  // namespace wattmesh::sim
