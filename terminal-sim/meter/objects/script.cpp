#include "protocol/cosem/script_table.h"

#include "terminal-sim/meter/meter.h"

/// What scripts do when they are executed: by their table's method, a schedule, a limiter or an arbitrator.
namespace wattmesh::sim {

using namespace dlms;
using cosem::script_table::Service;

/// The actions of one script, in order; the first that fails ends it. Source: Blue Book ed. 14, 4.5.2.
AccessResult Meter::execute(const cosem::ActionItem& item, Instant now) {
    using namespace cosem::script_table;
    if (item.script_selector == 0) return AccessResult::success;  // no action
    const SimObject* table = find(item.script_logical_name);
    if (table == nullptr || table->spec->class_id != owner.id) return AccessResult::object_unavailable;
    const auto shown =
        value_of({owner.id, table->name, 2}, {}, settings_.model->management_client.client, now);
    const auto* data = std::get_if<Data>(&shown);
    if (data == nullptr) return AccessResult::object_unavailable;
    const auto known = scripts.read(*data);
    if (!known) return AccessResult::object_unavailable;
    for (const auto& script : *known) {
        if (script.script_identifier != item.script_selector) continue;
        for (const auto& action : script.actions)
            if (const auto result = perform_action(action, now); result != AccessResult::success)
                return result;
        return AccessResult::success;
    }
    return AccessResult::object_unavailable;
}

AccessResult Meter::perform_action(const cosem::script_table::Action& action, Instant now) {
    const SimObject* object = find(action.logical_name);
    if (action.service_id == Service::none) return AccessResult::success;
    if (object == nullptr || object->spec->class_id != action.class_id) return AccessResult::object_undefined;
    if (action.service_id == Service::execute_method) {
        // A table whose script calls a table would never come to an end.
        if (object->act == nullptr || action.class_id == cosem::script_table::owner.id ||
            !cosem::conforms_method(*object->spec, action.index, action.parameter))
            return AccessResult::object_unavailable;
        return object->act(*this, {*object, action.index, action.parameter, now}).result;
    }
    if (!cosem::conforms(*object->spec, action.index, action.parameter)) return AccessResult::type_unmatched;
    store(action.logical_name, action.index, action.parameter);
    return AccessResult::success;
}

}  // namespace wattmesh::sim
