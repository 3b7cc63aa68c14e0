#include "protocol/cosem/push_setup.h"

#include "terminal-sim/meter/meter.h"

/// Push setup, on interval: clock, name and energy. The call of `push` is carried out by whoever has the
/// link, with the body that Meter::push_body gives.
namespace wattmesh::sim {

using namespace dlms;

namespace {

using namespace cosem::push_setup;

ReadOutcome read_push(const Meter& meter, const SimObject::Read& what) {
    switch (what.attribute) {
        case 2:
            return push_object_list.write({{40, what.object.name, 1, 0},
                                           {1, obis::logical_device_name, 2, 0},
                                           {8, obis::clock, 2, 0},
                                           {3, meter.object_named(cosem::Quantity::active_import), 2, 0}});
        case 3:
            return send_destination_and_method.write(
                {TransportService::tcp, {}, Message::a_xdr_encoded_xdlms_apdu});
        case 4:
            return communication_window.write({});
        case 5:
            return randomisation_start_interval.write(0);
        case 6:
            return number_of_retries.write(0);
        default:
            return repetition_delay.write(60);
    }
}

}  // namespace

void ObjectMaker::push(SimObjects& objects) {
    objects.push_back({.spec = &cosem::push_setup::spec_0,
                       .name = object_name(0, 0, 25, 9, 0),
                       .audience = for_management,
                       .read = read_push,
                       .writable = {2, 3, 4, 5, 6, 7},
                       .methods = {1},
                       .act = [](Meter& meter, const SimObject::Call& what) -> ActionOutcome {
                           const auto& send = meter.settings().send_push;
                           if (!send) return {AccessResult::object_unavailable, {}};
                           send(meter.push_body(what.now));
                           return {};
                       }});
}

Data Meter::push_body(Instant now) const {
    const ObisCode name = object_named(cosem::Quantity::push_setup);
    const auto stored = attribute(name, 2);
    const auto* setup = find(name);
    const Selection all{};
    auto list = stored ? ReadOutcome{*stored} : setup->read(*this, {*setup, 2, all, management_client, now});
    const auto columns = push_object_list.read(std::get<Data>(list));
    std::vector<Data> values;
    for (const auto& column : *columns) {
        const AttributeId id{column.class_id, column.object, column.attribute};
        auto outcome = value_of(id, {}, settings_.model->management_client.client, now);
        const auto* value = std::get_if<Data>(&outcome);
        values.push_back(value == nullptr ? Data{} : *value);
    }
    return structure(std::move(values));
}

}  // namespace wattmesh::sim
