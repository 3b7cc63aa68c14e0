#include "tests/fleet/wanted.h"

#include "protocol/dcu/objects.h"

namespace wattmesh::fleet {
namespace {

using headend::frontend::WantedObject;

Buffer wrapped(const sim::MeterKeys& keys, KeyWrap& kek) {
    Buffer plain;
    for (const Bytes key :
         {keys.reading.encryption.reveal(), keys.reading.authentication.reveal(), keys.join.reveal()})
        plain.insert(plain.end(), key.begin(), key.end());
    return kek.wrap(plain);
}

template <class Object>
WantedObject wanted_object(const ObisCode& code, const Object& object) {
    return {code, 1, dlms::encode_data(to_data(object)), false};
}

}  // namespace

Wanted::Wanted(Timeline& timeline, const sim::Town& town, const sim::Shipment& shipment,
               const std::map<DeviceNumber, Key128>& keks, Ciphers& ciphers)
    : timeline_(timeline) {
    for (const auto& concentrator : town.concentrators) {
        const auto kek = ciphers.key_wrap(keks.at(concentrator));
        dcu::MeterList list;
        dcu::WrappedKeys keys;
        for (const auto& meter : town.meters) {
            if (meter.concentrator != concentrator) continue;
            const bool summary = meter.kind == sim::LoadKind::summary;
            list.meters.push_back(
                {meter.number, summary ? dcu::MeterRole::summary : dcu::MeterRole::customer});
            keys.meters.push_back({meter.number, wrapped(shipment.at(meter.number), *kek)});
        }
        for (const auto& collector : town.collectors) {
            if (collector.concentrator != concentrator) continue;
            list.meters.push_back({collector.number, dcu::MeterRole::collector});
            keys.meters.push_back(
                {collector.number, kek->wrap(shipment.collectors.at(collector.number).reveal())});
        }
        const dcu::ReadingPlan plan{0, {{obis::load_profile, 900, 20, 30 * 86'400, 6}}};
        objects_[concentrator] = {
            wanted_object(dcu::objects::limits, dcu::Limits{}), wanted_object(dcu::objects::meter_list, list),
            wanted_object(dcu::objects::wrapped_keys, keys), wanted_object(dcu::objects::reading_plan, plan)};
    }
}

void Wanted::wanted(DeviceNumber concentrator, Instant,
                    std::function<void(std::optional<std::vector<WantedObject>>)> done) {
    using namespace std::chrono_literals;
    timeline_.after(5ms, [objects = objects_.at(concentrator), done = std::move(done)] { done(objects); });
}

void Wanted::confirm(DeviceNumber concentrator, ObisCode object, std::uint32_t version, Instant) {
    for (auto& wanted : objects_.at(concentrator))
        if (wanted.object == object && wanted.version == version) wanted.confirmed = true;
    ++confirmed_;
}

}  // namespace wattmesh::fleet
