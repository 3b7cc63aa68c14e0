#include "headend/monitor/desired.h"

#include <algorithm>
#include <set>

#include "headend/database/collectors.h"
#include "headend/database/concentrators.h"
#include "headend/database/desired_states.h"
#include "headend/database/firmware.h"
#include "headend/database/meters.h"
#include "headend/monitor/sealed_keys.h"

namespace wattmesh::headend::monitor {
namespace {

struct Refresh {
    database::Connection& connection;
    const security::MasterKey& master;
    Ciphers& ciphers;
    Instant now;
    Refreshed& result;

    void trouble(const database::Concentrator& concentrator, const std::string& what) const {
        result.troubles.push_back("concentrator " + to_string(concentrator.number) + ": " + what);
    }
    void want(const database::Concentrator& concentrator, const ObisCode& object,
              const dlms::Data& content) const {
        database::DesiredStates{connection}.desire(concentrator.id, object, dlms::encode_data(content), now);
    }
};

/// Reading EK, reading AK and join key of one meter under the concentrator's key-encryption key
/// (dcu/objects.h).
std::optional<Buffer> wrap_for(const Refresh& refresh, KeyWrap& wrap,
                               const database::MeterReadingKeys& sealed) {
    using database::KeyPurpose;
    Buffer plain;
    const auto append = [&](KeyPurpose purpose, Bytes octets) {
        const auto key = open_key(refresh.master, purpose_of(sealed.number, purpose), octets);
        if (key) plain.insert(plain.end(), key->reveal().begin(), key->reveal().end());
        return key.has_value();
    };
    plain.reserve(48);
    const bool whole = append(KeyPurpose::reading_ek, sealed.reading_ek) &&
                       append(KeyPurpose::reading_ak, sealed.reading_ak) &&
                       append(KeyPurpose::mesh_join, sealed.mesh_join);
    std::optional<Buffer> wrapped;
    if (whole) wrapped = wrap.wrap(plain);
    security::wipe(plain);
    return wrapped;
}

void refresh_keys(const Refresh& refresh, const database::Concentrator& concentrator,
                  const dcu::MeterList& list) {
    std::set<DeviceNumber> listed;
    for (const auto& meter : list.meters) listed.insert(meter.number);
    database::Keys keys{refresh.connection};
    const auto sealed_kek = keys.find_kek(concentrator.id);
    if (!sealed_kek) return;  // not enrolled yet
    const auto kek = open_key(refresh.master, kek_purpose(concentrator.number), *sealed_kek);
    if (!kek)
        return refresh.trouble(concentrator,
                               "its key-encryption key does not unwrap with this master key; enrol it again");
    const auto wrap = refresh.ciphers.key_wrap(*kek);
    dcu::WrappedKeys wanted;
    for (const auto& meter : keys.reading_keys_of(concentrator.id)) {
        if (!listed.contains(meter.number)) continue;
        auto wrapped = wrap_for(refresh, *wrap, meter);
        if (wrapped) {
            wanted.meters.push_back({meter.number, *std::move(wrapped)});
        } else {
            refresh.trouble(concentrator, "the reading keys of meter " + to_string(meter.number) +
                                              " do not unwrap with this master key; import them again");
        }
    }
    for (const auto& collector : database::Collectors{refresh.connection}.join_keys_of(concentrator.id)) {
        const auto key = open_key(
            refresh.master, purpose_of(collector.number, database::KeyPurpose::mesh_join), collector.sealed);
        if (key)
            wanted.meters.push_back({collector.number, wrap->wrap(key->reveal())});
        else
            refresh.trouble(concentrator, "the join key of collector " + to_string(collector.number) +
                                              " does not unwrap with this master key; import it again");
    }
    refresh.want(concentrator, dcu::objects::wrapped_keys, dcu::to_data(wanted));
}

/// A concentrator that never distributed anything is not told that it shall distribute nothing.
void refresh_firmware(const Refresh& refresh, const database::Concentrator& concentrator) {
    const auto order = database::Firmware{refresh.connection}.due(concentrator.id);
    const bool told = database::DesiredStates{refresh.connection}
                          .find(concentrator.id, dcu::objects::firmware_order)
                          .has_value();
    if (order || told)
        refresh.want(concentrator, dcu::objects::firmware_order,
                     dcu::to_data(order.value_or(dcu::FirmwareOrder{})));
}

void refresh_one(const Refresh& refresh, const database::Concentrator& concentrator, const Plan& plan) {
    database::DesiredStates states{refresh.connection};
    for (const auto& object : states.of(concentrator.id)) {
        // The front-end confirms a version above ours when the concentrator holds one: then ours must become
        // newer.
        if (object.confirmed_version > object.version)
            states.overtake(concentrator.id, object.object, object.confirmed_version);
    }
    const auto collectors = database::Collectors{refresh.connection}.of(concentrator.id);
    const auto room = dcu::meter_list_size_max - std::min(collectors.size(), dcu::meter_list_size_max);
    auto list = database::Meters{refresh.connection}.listed(concentrator.id, room);
    for (const auto& number : collectors) list.meters.push_back({number, dcu::MeterRole::collector, {}});
    if (list.meters.size() > dcu::meter_list_size_max) {
        refresh.trouble(concentrator,
                        std::to_string(list.meters.size()) + " meters and collectors are assigned, " +
                            std::to_string(dcu::meter_list_size_max) + " is the most it can hold");
        return;
    }
    refresh.want(concentrator, dcu::objects::meter_list, dcu::to_data(list));
    refresh.want(concentrator, dcu::objects::reading_plan, dcu::to_data(dcu::ReadingPlan{0, plan.profiles}));
    auto limits = plan.limits;
    limits.version = 0;
    refresh.want(concentrator, dcu::objects::limits, dcu::to_data(limits));
    refresh_keys(refresh, concentrator, list);
    refresh_firmware(refresh, concentrator);
    for (const auto& object : states.of(concentrator.id)) {
        if (!object.pending()) continue;
        refresh.result.changed.push_back(concentrator.number);
        break;
    }
}

}  // namespace

Refreshed refresh_desired(database::Connection& connection, const Plan& plan,
                          const security::MasterKey& master, Ciphers& ciphers, Instant now) {
    Refreshed result;
    const Refresh refresh{connection, master, ciphers, now, result};
    for (const auto& concentrator : database::Concentrators{connection}.all()) {
        if (concentrator.state == database::ConcentratorState::revoked ||
            concentrator.road != database::Road::concentrator)
            continue;
        database::Transaction transaction{connection};
        refresh_one(refresh, concentrator, plan);
        transaction.commit();
    }
    return result;
}

}  // namespace wattmesh::headend::monitor
