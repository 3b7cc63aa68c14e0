#include <algorithm>

#include "terminal-sim/meter/audience.h"
#include "terminal-sim/meter/meter.h"

/// GET, SET and ACTION: who may, and whether the value is what the class table says.
namespace wattmesh::sim {

using namespace dlms;

namespace {

/// Octets of a value that is kept; a meter's memory is small.
constexpr std::size_t written_size_max = 4096;

}  // namespace

std::string Meter::logical_device_name() const {
    // manufacturer's letters first, at most 16 octets (Blue Book, logical device name)
    return std::string{settings_.model->makers.front()} + to_string(settings_.number);
}

std::string Meter::firmware() const { return std::string{type} + " 1.0.0"; }

ObisCode Meter::object_named(cosem::Quantity quantity) const {
    const auto* object = settings_.model->find(quantity);
    if (object == nullptr) object = cosem::models::generic.find(quantity);
    return object->name;
}

const SimObject* Meter::find(const ObisCode& name) const {
    const auto found =
        std::lower_bound(objects_->begin(), objects_->end(), name,
                         [](const SimObject& object, const ObisCode& code) { return object.name < code; });
    return found == objects_->end() || found->name != name ? nullptr : &*found;
}

ReadOutcome Meter::value_of(const AttributeId& id, const Selection& selection, Sap client,
                            Instant now) const {
    const SimObject* object = find(id.object);
    if (object == nullptr) return AccessResult::object_undefined;
    if (object->spec->class_id != id.class_id) return AccessResult::class_inconsistent;
    if (object->spec->attribute(id.attribute) == nullptr) return AccessResult::object_undefined;
    if ((object->audience & audience_of(client, *settings_.model)) == 0 ||
        object->hidden.contain(id.attribute))
        return AccessResult::read_write_denied;
    if (id.attribute == 1) return Data{octet_string(id.object)};
    if (auto stored = attribute(id.object, id.attribute)) return std::move(*stored);
    return object->read(*this, {*object, id.attribute, selection, client, now});
}

void Meter::get(const AttributeId& id, const Selection& selection, Sap client, Instant now,
                std::function<void(ReadOutcome)> done) {
    advance(now);
    done(value_of(id, selection, client, now));
}

void Meter::set(const AttributeId& id, const Data& value, Sap client, Instant now,
                std::function<void(AccessResult)> done) {
    advance(now);
    const SimObject* object = find(id.object);
    if (object == nullptr) return done(AccessResult::object_undefined);
    if (object->spec->class_id != id.class_id) return done(AccessResult::class_inconsistent);
    if (object->spec->attribute(id.attribute) == nullptr) return done(AccessResult::object_undefined);
    if (!object->writable.contain(id.attribute) || audience_of(client, *settings_.model) != for_management)
        return done(AccessResult::read_write_denied);
    if (!cosem::conforms(*object->spec, id.attribute, value)) return done(AccessResult::type_unmatched);
    if (object->write != nullptr) return done(object->write(*this, value, now));
    Buffer content = deed_content(id.class_id, id.object, id.attribute, value);
    if (content.size() > written_size_max) return done(AccessResult::other_reason);
    perform({Deed::Kind::written, now, {}, std::move(content)});
    done(AccessResult::success);
}

void Meter::act(const MethodId& id, const std::optional<Data>& argument, Sap client, Instant now,
                std::function<void(ActionOutcome)> done) {
    advance(now);
    const SimObject* object = find(id.object);
    if (object == nullptr) return done({AccessResult::object_undefined, {}});
    if (object->spec->class_id != id.class_id) return done({AccessResult::class_inconsistent, {}});
    if (!object->methods.contain(id.method)) return done({AccessResult::object_undefined, {}});
    if (audience_of(client, *settings_.model) != for_management)
        return done({AccessResult::read_write_denied, {}});
    // integer(0) is what methods without argument are called with; some clients leave it out
    const auto* method = object->spec->method(id.method);
    const bool left_out = !argument && method->argument_types == cosem::Types{cosem::Type::int8};
    const Data given = left_out ? Data{std::int8_t{0}} : argument.value_or(Data{});
    if (!cosem::conforms_method(*object->spec, id.method, given))
        return done({AccessResult::type_unmatched, {}});
    auto outcome = object->act(*this, {*object, id.method, given, now});
    if (outcome.result == AccessResult::success && object->remembered.contain(id.method))
        remember_call(id.class_id, id.object, id.method, given, now);
    done(std::move(outcome));
}

}  // namespace wattmesh::sim
