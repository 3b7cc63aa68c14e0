#include "concentrator/uplink/versioned_objects.h"

#include "security/ciphers.h"

namespace wattmesh::concentrator {
namespace {

using dlms::AccessResult;

/// The version is the first element of every object.
std::optional<std::uint32_t> version_of(const dlms::Data& value) {
    const auto* elements = value.elements();
    if (elements == nullptr || elements->empty()) return std::nullopt;
    const auto* version = (*elements)[0].as<std::uint32_t>();
    if (version == nullptr) return std::nullopt;
    return *version;
}

template <class T>
bool take(T& place, const Result<T>& decoded) {
    if (decoded) place = *decoded;
    return decoded.has_value();
}

}  // namespace

VersionedObjects::VersionedObjects(JournalStore& store, const std::vector<StoredObject>& recovered)
    : store_(store) {
    for (const auto& object : recovered) {
        if (load(object)) stored_[object.code] = object;
    }
}

bool VersionedObjects::is_one(const ObisCode& code) {
    namespace o = dcu::objects;
    return code == o::meter_list || code == o::wrapped_keys || code == o::reading_plan || code == o::limits ||
           code == o::firmware_order;
}

/// False, and nothing changes, when it does not decode.
bool VersionedObjects::load(const StoredObject& object) {
    const auto data = dlms::decode_data(object.raw);
    if (!data) return false;
    namespace o = dcu::objects;
    if (object.code == o::meter_list) return take(meter_list_, dcu::meter_list_from_data(*data));
    if (object.code == o::wrapped_keys) return take(wrapped_keys_, dcu::wrapped_keys_from_data(*data));
    if (object.code == o::reading_plan) return take(reading_plan_, dcu::reading_plan_from_data(*data));
    if (object.code == o::limits) return take(limits_, dcu::limits_from_data(*data));
    if (object.code == o::firmware_order) return take(firmware_order_, dcu::firmware_order_from_data(*data));
    return object.code == o::backfill;
}

dlms::ReadOutcome VersionedObjects::get(const ObisCode& code) const {
    const auto found = stored_.find(code);
    if (found == stored_.end()) return AccessResult::object_unavailable;
    if (code == dcu::objects::wrapped_keys) {
        return dlms::structure(
            {found->second.version, dlms::octet_string(security::sha256(found->second.raw))});
    }
    auto data = dlms::decode_data(found->second.raw);
    if (!data) return AccessResult::hardware_fault;
    return *std::move(data);
}

std::optional<AccessResult> VersionedObjects::judge(const StoredObject& object) const {
    const auto known = stored_.find(object.code);
    if (known == stored_.end()) return std::nullopt;
    if (known->second.raw == object.raw) return AccessResult::success;
    if (object.version <= known->second.version) return AccessResult::scope_of_access_violated;
    return std::nullopt;
}

void VersionedObjects::set(const ObisCode& code, const dlms::Data& value, std::function<void()> applied,
                           std::function<void(AccessResult)> done) {
    const auto version = version_of(value);
    if (!version) return done(AccessResult::type_unmatched);
    StoredObject object{code, *version, dlms::encode_data(value)};
    if (const auto answer = judge(object)) return done(*answer);
    VersionedObjects trial = *this;
    if (!trial.load(object)) return done(AccessResult::type_unmatched);
    auto copy = object;
    store_.put_object(std::move(copy), [this, object = std::move(object), applied = std::move(applied),
                                        done = std::move(done)](bool stored) {
        if (!stored) return done(AccessResult::temporary_failure);
        load(object);
        stored_[object.code] = object;
        applied();
        done(AccessResult::success);
    });
}

void VersionedObjects::backfill(const dlms::Data& value, const ReadAgain& read,
                                std::function<void(AccessResult)> done) {
    const auto asked = dcu::backfill_from_data(value);
    if (!asked) return done(AccessResult::type_unmatched);
    StoredObject object{dcu::objects::backfill, asked->version, dlms::encode_data(value)};
    if (const auto answer = judge(object)) return done(*answer);
    // First the ranges, then the version: a crash in between has them written again, and what is pending
    // already is passed over.
    read(asked->ranges, [this, object = std::move(object), done = std::move(done)](bool durable) {
        if (!durable) return done(AccessResult::temporary_failure);
        store_.put_object(object, [this, object, done](bool stored) {
            if (stored) stored_[object.code] = object;
            done(stored ? AccessResult::success : AccessResult::temporary_failure);
        });
    });
}

}  // namespace wattmesh::concentrator
