#include "protocol/cosem/association_ln.h"
#include "protocol/cosem/measurement.h"
#include "terminal-sim/meter/meter.h"

/// Who the meter is, what it shows to whom, and how it is associated.
namespace wattmesh::sim {

using namespace dlms;

namespace {

constexpr std::uint8_t access_read = 1, access_write = 2;

/// The object list as this client sees it (Blue Book ed. 14, 4.4.4, version 1).
Data list_for(const SimObjects& objects, unsigned reader) {
    using namespace cosem::association_ln;
    std::vector<ListedObject> list;
    for (const auto& object : objects) {
        if ((object.audience & reader) == 0) continue;
        ListedObject& listed = list.emplace_back();
        listed.class_id = object.spec->class_id;
        listed.version = object.spec->version;
        listed.logical_name = object.name;
        for (const auto& attribute : object.spec->attributes) {
            const bool writes = object.writable.contain(attribute.id) && reader == for_management;
            std::uint8_t mode = object.hidden.contain(attribute.id) ? 0 : access_read;
            if (writes) mode = static_cast<std::uint8_t>(mode | access_write);
            AttributeAccess access{attribute.id, mode, {}};
            if (object.spec->class_id == 7 && attribute.id == 2) access.access_selectors = {1, 2};
            listed.access_rights.attribute_access.push_back(std::move(access));
        }
        for (const auto& method : object.spec->methods)
            if (object.methods.contain(method.id))
                listed.access_rights.method_access.push_back(
                    {method.id, static_cast<std::uint8_t>(reader == for_management)});
    }
    return object_list.write(list);
}

Data object_identifier(std::uint8_t arc, std::uint8_t last) {
    return octet_string(Buffer{0x60, 0x85, 0x74, 0x05, 0x08, arc, last});
}

void add_data(SimObjects& objects, ObisCode name, unsigned audience, decltype(SimObject::read) read) {
    objects.push_back({.spec = &cosem::data::spec, .name = name, .audience = audience, .read = read});
}

}  // namespace

void ObjectMaker::identity(SimObjects& objects) {
    add_data(objects, obis::logical_device_name, for_everybody,
             [](const Meter& meter, const auto&) -> ReadOutcome {
                 return octet_string(as_bytes(meter.logical_device_name()));
             });
    objects.push_back(
        {.spec = &cosem::sap_assignment::spec,
         .name = object_name(0, 0, 41, 0, 0),
         .audience = for_everybody,
         .read = [](const Meter& meter, const auto&) -> ReadOutcome {
             return cosem::sap_assignment::sap_assignment_list.write(
                 {{management_logical_device.value, to_buffer(as_bytes(meter.logical_device_name()))}});
         }});
    objects.push_back(
        {.spec = &cosem::association_ln::spec_1,
         .name = obis::current_association,
         .audience = for_everybody,
         .read = [](const Meter& meter,
                    const SimObject::Read& what) { return meter.association(what.attribute, what.client); },
         .hidden = {7}});
    add_data(objects, object_name(0, 0, 96, 1, 0), for_customers,
             [](const Meter& meter, const auto&) -> ReadOutcome {
                 return octet_string(as_bytes(to_string(meter.settings().number)));
             });
    add_data(objects, object_name(0, 0, 96, 1, 1), for_customers,
             [](const Meter&, const auto&) -> ReadOutcome { return octet_string(as_bytes(Meter::type)); });
    add_data(objects, object_name(1, 0, 0, 2, 0), for_customers,
             [](const Meter& meter, const auto&) -> ReadOutcome {
                 return octet_string(as_bytes(meter.firmware()));
             });
    for (const Sap client : {management_client, reading_client})
        add_data(
            objects, object_name(0, 0, 43, 1, static_cast<std::uint8_t>(client.value)), for_everybody,
            [](const Meter& meter, const SimObject::Read& what) -> ReadOutcome {
                const bool reading = what.object.name.groups[4] == reading_client.value;
                return Data{meter.settings().accepted_counter(reading ? reading_client : management_client)};
            });
}

ReadOutcome Meter::association(std::int8_t attribute, Sap client) const {
    using namespace cosem::association_ln;
    const auto& model = *settings_.model;
    const unsigned audience = audience_of(client, model);
    const bool management = audience == for_management;
    const bool ciphered = management || (audience == for_reading && settings_.over_radio);
    const std::uint8_t mechanism = audience == for_public ? 0 : ciphered ? 5 : 1;
    switch (attribute) {
        case 2:
            return list_for(*objects_, audience);
        case 3:
            return associated_partners_id.write(
                {static_cast<std::int8_t>(client.value), management_logical_device.value});
        case 4:
            return object_identifier(1, ciphered ? 3 : 1);
        case 5:
            return xdlms_context_info.write(
                {BitString{24, {0x00, 0x1E, 0x1D}},
                 std::uint16_t{0xFFFF},
                 settings_.over_radio ? std::uint16_t{200} : std::uint16_t{0xFFFF},
                 std::uint8_t{6},
                 std::int8_t{0},
                 {}});
        case 6:
            return object_identifier(2, mechanism);
        case 8:
            return association_status.write(Status::associated);
        case 9:
            return octet_string(ciphered ? model.find(cosem::Quantity::security_setup)->name : ObisCode{});
        default:
            return AccessResult::read_write_denied;
    }
}

}  // namespace wattmesh::sim
