#include "protocol/dlms/date_time.h"
#include "terminal-sim/meter/audience.h"
#include "terminal-sim/meter/meter.h"

namespace wattmesh::sim {

using namespace dlms;

namespace {

/// Interface classes (Blue Book).
enum ClassId : std::uint16_t {
    data_class = 1,
    register_class = 3,
    profile_class = 7,
    clock_class = 8,
    association_class = 15,
    sap_class = 17,
    breaker_class = 70
};
/// Units (Blue Book, physical units).
enum Unit : std::uint8_t {
    unit_watt = 27,
    unit_watt_hour = 30,
    unit_var_hour = 32,
    unit_ampere = 33,
    unit_volt = 35
};

std::vector<std::int8_t> attributes_to(std::int8_t last) {
    std::vector<std::int8_t> ids;
    for (std::int8_t id = 1; id <= last; ++id) ids.push_back(id);
    return ids;
}

/// Wildcard date-time: daylight saving never begins or ends.
Data never_date() {
    return octet_string(Buffer{0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x80, 0x00, 0x00});
}

}  // namespace

void Meter::add(std::uint16_t class_id, std::uint8_t version, ObisCode name, Clients audience,
                const std::vector<std::int8_t>& attributes, decltype(Object::read) read) {
    Object object{class_id, version, name, audience, {}, {}, std::move(read)};
    object.attributes.reserve(attributes.size());
    for (const auto id : attributes) object.attributes.push_back({id, audience});
    objects_.push_back(std::move(object));
}

void Meter::add_data(ObisCode name, Clients audience, std::function<Data(Instant)> value) {
    add(data_class, 0, name, audience, attributes_to(2),
        [value = std::move(value)](auto, const auto&, auto, Instant now) -> ReadOutcome {
            return value(now);
        });
}

void Meter::add_register(ObisCode name, std::int8_t scaler, std::uint8_t unit,
                         std::function<Data(Instant)> value) {
    add(register_class, 0, name, for_customers, attributes_to(3),
        [value = std::move(value), scaler, unit](std::int8_t attribute, const auto&, auto,
                                                 Instant now) -> ReadOutcome {
            if (attribute == 3) return structure({scaler, Enum{unit}});
            return value(now);
        });
}

void Meter::add_identity() {
    const std::string number = to_string(settings_.number);
    const std::string name =
        "WMT" + number;  // manufacturer's letters first, at most 16 octets (Blue Book, logical device name)
    add_data(obis::logical_device_name, for_everybody,
             [name](Instant) { return octet_string(as_bytes(name)); });
    add(sap_class, 0, ObisCode{{0, 0, 41, 0, 0, 255}}, for_everybody, attributes_to(2),
        [name](auto, const auto&, auto, Instant) -> ReadOutcome {
            return array({structure({management_logical_device.value, octet_string(as_bytes(name))})});
        });
    add(association_class, 0, obis::current_association, for_everybody, attributes_to(8),
        [this](std::int8_t attribute, const auto&, Sap client, Instant) {
            return association(attribute, client);
        });
    objects_.back().attributes[6].readers = 0;  // the secret
    add_data(ObisCode{{0, 0, 96, 1, 0, 255}}, for_customers,
             [number](Instant) { return octet_string(as_bytes(number)); });
    add_data(ObisCode{{1, 0, 0, 2, 0, 255}}, for_customers,
             [](Instant) { return octet_string(as_bytes("WMT-SIM 1.0.0")); });
    for (const Sap client : {management_client, reading_client})
        add_data(ObisCode{{0, 0, 43, 1, static_cast<std::uint8_t>(client.value), 255}}, for_everybody,
                 [this, client](Instant) { return Data{settings_.accepted_counter(client)}; });
}

void Meter::add_clock() {
    add(clock_class, 0, obis::clock, for_everybody, attributes_to(9),
        [this](std::int8_t attribute, const auto&, auto, Instant now) -> ReadOutcome {
            switch (attribute) {
                case 2:
                    return date_time_octets({.at = clock_.shown(now)});
                case 3:
                    return Data{std::int16_t{0}};  // meters run on UTC
                case 4:
                    return Data{std::uint8_t{0}};
                case 5:
                case 6:
                    return never_date();
                case 7:
                    return Data{std::int8_t{0}};
                case 8:
                    return Data{false};
                default:
                    return Data{Enum{1}};  // internal crystal
            }
        });
    objects_.back().attributes[1].writable = true;
}

void Meter::add_energy() {
    for (std::uint8_t channel = 0; channel < 4; ++channel) {
        const std::uint8_t unit = channel < 2 ? unit_watt_hour : unit_var_hour;
        const auto name = [&](std::uint8_t tariff) {
            return ObisCode{{1, 0, static_cast<std::uint8_t>(channel + 1), 8, tariff, 255}};
        };
        const auto shown = [](const Energies& energies, std::uint8_t of) {
            return Data{static_cast<std::uint32_t>(energies.channels[of])};
        };
        add_register(name(0), 0, unit,
                     [=, this](Instant now) { return shown(registers(now).total(), channel); });
        add_register(name(1), 0, unit, [=, this](Instant now) { return shown(registers(now).day, channel); });
        add_register(name(2), 0, unit,
                     [=, this](Instant now) { return shown(registers(now).night, channel); });
    }
}

void Meter::add_electrical() {
    for (int phase = 0; phase < phases(); ++phase) {
        const auto group = static_cast<std::uint8_t>(20 * phase);
        add_register(ObisCode{{1, 0, static_cast<std::uint8_t>(32 + group), 7, 0, 255}}, -1, unit_volt,
                     [=, this](Instant now) {
                         return Data{static_cast<std::uint16_t>(electrical(phase, now).decivolts)};
                     });
        add_register(ObisCode{{1, 0, static_cast<std::uint8_t>(31 + group), 7, 0, 255}}, -2, unit_ampere,
                     [=, this](Instant now) {
                         return Data{static_cast<std::uint32_t>(electrical(phase, now).centiamperes)};
                     });
    }
    const auto power = [this](Instant now) {
        std::int64_t watts = 0;
        for (int phase = 0; phase < phases(); ++phase) watts += electrical(phase, now).watts;
        return watts;
    };
    add_register(ObisCode{{1, 0, 1, 7, 0, 255}}, 0, unit_watt, [=](Instant now) {
        return Data{static_cast<std::uint32_t>(std::max<std::int64_t>(power(now), 0))};
    });
    add_register(ObisCode{{1, 0, 2, 7, 0, 255}}, 0, unit_watt, [=](Instant now) {
        return Data{static_cast<std::uint32_t>(std::max<std::int64_t>(-power(now), 0))};
    });
}

void Meter::add_profiles() {
    add_data(obis::profile_status, for_customers, [this](Instant) { return Data{status_}; });
    add_data(ObisCode{{0, 0, 96, 11, 0, 255}}, for_customers, [this](Instant) { return Data{last_event_}; });
    for (const auto& [name, profile] : {std::pair{obis::load_profile, &load_profile_},
                                        {obis::daily_profile, &daily_},
                                        {obis::event_log, &events_}})
        add(profile_class, 1, name, for_customers, attributes_to(8),
            [of = profile](std::int8_t attribute, const Selection& selection, auto, Instant) {
                return of->get(attribute, selection);
            });
}

void Meter::add_breaker() {
    add(breaker_class, 0, obis::disconnect_control, for_management, attributes_to(4),
        [this](std::int8_t attribute, const auto&, auto, Instant now) -> ReadOutcome {
            const bool closed = supply_->closed_at(now);
            if (attribute == 2) return Data{closed};
            if (attribute == 3) return Data{Enum{closed ? std::uint8_t{1} : std::uint8_t{0}}};
            return Data{Enum{4}};  // remote disconnect and remote reconnect without a hand at the meter
        });
    objects_.back().methods = {1, 2};
}

Data Meter::object_list(Sap client) const {
    const Clients reader = audience_of(client);
    std::vector<Data> list;
    for (const auto& object : objects_) {
        if ((object.audience & reader) == 0) continue;
        std::vector<Data> attributes, methods;
        for (const auto& attribute : object.attributes) {
            const bool reads = (attribute.readers & reader) != 0,
                       writes = attribute.writable && reader == for_management;
            const auto mode = static_cast<std::uint8_t>((reads ? 1 : 0) | (writes ? 2 : 0));
            const bool selective = object.class_id == profile_class && attribute.id == 2;
            Data selectors = selective ? array({std::int8_t{1}, std::int8_t{2}}) : Data{Null{}};
            attributes.push_back(structure({attribute.id, Enum{mode}, std::move(selectors)}));
        }
        for (const auto method : object.methods)
            methods.push_back(structure({method, reader == for_management}));
        list.push_back(structure({object.class_id, object.version, octet_string(object.name),
                                  structure({array(std::move(attributes)), array(std::move(methods))})}));
    }
    return array(std::move(list));
}

ReadOutcome Meter::association(std::int8_t attribute, Sap client) const {
    const bool ciphered = client == management_client || (client == reading_client && settings_.over_radio);
    const std::uint8_t mechanism = client == public_client ? 0 : ciphered ? 5 : 1;
    const auto object_identifier = [](std::uint8_t arc, std::uint8_t last) {
        return octet_string(Buffer{0x60, 0x85, 0x74, 0x05, 0x08, arc, last});
    };
    switch (attribute) {
        case 2:
            return object_list(client);
        case 3:
            return structure({static_cast<std::int8_t>(client.value), management_logical_device.value});
        case 4:
            return object_identifier(1, ciphered ? 3 : 1);
        case 5: {
            const auto size = settings_.over_radio ? std::uint16_t{200} : std::uint16_t{0xFFFF};
            return structure({BitString{24, {0x00, 0x1E, 0x1D}}, std::uint16_t{0xFFFF}, size, std::uint8_t{6},
                              std::int8_t{0}, octet_string(Bytes{})});
        }
        case 6:
            return object_identifier(2, mechanism);
        case 8:
            return Data{Enum{2}};  // associated
        default:
            return AccessResult::read_write_denied;
    }
}

}  // namespace wattmesh::sim
