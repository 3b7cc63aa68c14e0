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

}  // namespace

Wanted::Wanted(Timeline& timeline, HeadModel& model, const sim::Town& town, const sim::Shipment& shipment,
               const std::map<DeviceNumber, Key128>& keks, Ciphers& ciphers)
    : timeline_(timeline), model_(model), town_(town), shipment_(shipment), keks_(keks), ciphers_(ciphers) {
    const dcu::ReadingPlan plan{0, {{obis::load_profile, 900, 20, 30 * 86'400, 6}}};
    for (const auto& concentrator : town.concentrators) {
        want(concentrator, dcu::objects::limits, dlms::encode_data(to_data(dcu::Limits{})));
        refresh(concentrator);
        want(concentrator, dcu::objects::reading_plan, dlms::encode_data(to_data(plan)));
    }
}

/// As database::DesiredStates: another version only for another content.
void Wanted::want(DeviceNumber concentrator, const ObisCode& object, Buffer content) {
    auto& objects = objects_[concentrator];
    for (auto& known : objects) {
        if (known.object != object) continue;
        if (known.content != content)
            known = WantedObject{object, known.version + 1, std::move(content), false};
        return;
    }
    objects.push_back({object, 1, std::move(content), false});
}

void Wanted::order(DeviceNumber concentrator, const dcu::FirmwareOrder& order) {
    want(concentrator, dcu::objects::firmware_order, dlms::encode_data(to_data(order)));
}

void Wanted::refresh(DeviceNumber concentrator) {
    const auto kek = ciphers_.key_wrap(keks_.at(concentrator));
    auto list = model_.list(concentrator);
    dcu::WrappedKeys keys;
    for (const auto& meter : list.meters)
        keys.meters.push_back({meter.number, wrapped(shipment_.at(meter.number), *kek)});
    for (const auto& collector : town_.collectors) {
        if (collector.concentrator != concentrator && !model_.visits(concentrator, collector.number))
            continue;
        list.meters.push_back({collector.number, dcu::MeterRole::collector, {}});
        keys.meters.push_back(
            {collector.number, kek->wrap(shipment_.collectors.at(collector.number).reveal())});
    }
    want(concentrator, dcu::objects::meter_list, dlms::encode_data(to_data(list)));
    want(concentrator, dcu::objects::wrapped_keys, dlms::encode_data(to_data(keys)));
}

void Wanted::wanted(DeviceNumber concentrator, Instant,
                    std::function<void(std::optional<std::vector<WantedObject>>)> done) {
    using namespace std::chrono_literals;
    refresh(concentrator);
    timeline_.after(5ms, [objects = objects_.at(concentrator), done = std::move(done)] { done(objects); });
}

void Wanted::confirm(DeviceNumber concentrator, ObisCode object, std::uint32_t version, Instant) {
    for (auto& wanted : objects_.at(concentrator))
        if (wanted.object == object && wanted.version == version) wanted.confirmed = true;
    ++confirmed_;
}

}  // namespace wattmesh::fleet
