#include <algorithm>
#include <cmath>

#include "protocol/cosem/measurement.h"
#include "terminal-sim/meter/meter.h"

/// Registers of energy and of what is now, by their OBIS codes.
namespace wattmesh::sim {

using namespace dlms;
using cosem::Unit;

namespace {

Unit energy_unit(std::uint8_t group_c) {
    return group_c <= 2 ? Unit::watt_hour : group_c <= 4 ? Unit::var_hour : Unit::volt_ampere_hour;
}

void add_register(SimObjects& objects, ObisCode name, decltype(SimObject::read) read) {
    objects.push_back({.spec = &cosem::register_::spec, .name = name, .read = read});
}

ReadOutcome read_energy(const Meter& meter, const SimObject::Read& what) {
    const auto& groups = what.object.name.groups;
    if (what.attribute == 3) return cosem::register_::scaler_unit.write({0, energy_unit(groups[2])});
    const Registers registers = meter.registers(what.now);
    const Energies& energies = groups[4] == 1   ? registers.day
                               : groups[4] == 2 ? registers.night
                                                : registers.total();
    return Data{static_cast<std::uint32_t>(counted(energies, groups[2]))};
}

ReadOutcome read_electrical(const Meter& meter, const SimObject::Read& what) {
    const std::uint8_t group = what.object.name.groups[2];
    const int phase = group >= 31 && group < 80 ? (group - 31) / 20 : 0;
    const auto now = meter.electrical(phase, what.now);
    switch (group) {
        case 1:
        case 2: {
            if (what.attribute == 3) return cosem::register_::scaler_unit.write({0, Unit::watt});
            const std::int64_t watts = meter.watts(what.now) * (group == 1 ? 1 : -1);
            return Data{static_cast<std::uint32_t>(std::max<std::int64_t>(watts, 0))};
        }
        case 11:
        case 31:
        case 51:
        case 71:
            if (what.attribute == 3) return cosem::register_::scaler_unit.write({-2, Unit::ampere});
            return Data{static_cast<std::uint32_t>(now.centiamperes)};
        default:
            if (what.attribute == 3) return cosem::register_::scaler_unit.write({-1, Unit::volt});
            return Data{static_cast<std::uint16_t>(now.decivolts)};
    }
}

}  // namespace

std::int64_t counted(const Energies& energies, std::uint8_t group_c) {
    const auto& c = energies.channels;
    if (group_c >= 1 && group_c <= 4) return c[group_c - 1U];
    const bool import = group_c == 9;  // apparent: of import with import, of export with export
    const auto active = static_cast<double>(c[import ? 0 : 1]);
    const auto reactive = static_cast<double>(c[import ? 2 : 3]);
    return static_cast<std::int64_t>(std::sqrt(active * active + reactive * reactive));
}

void ObjectMaker::energy(SimObjects& objects, const TableKey& key) {
    for (std::uint8_t channel = 1; channel <= 4; ++channel)
        for (std::uint8_t tariff = 0; tariff <= 2; ++tariff)
            add_register(objects, object_name(1, 0, channel, 8, tariff), read_energy);
    for (const std::uint8_t apparent : {std::uint8_t{9}, std::uint8_t{10}})
        if (const ObisCode name = object_name(1, 0, apparent, 8, 0); key.model->find(name) != nullptr)
            add_register(objects, name, read_energy);
}

void ObjectMaker::electrical(SimObjects& objects, const TableKey& key) {
    for (int phase = 0; phase < key.phases; ++phase) {
        const auto group = static_cast<std::uint8_t>(20 * phase);
        add_register(objects, object_name(1, 0, static_cast<std::uint8_t>(32 + group), 7, 0),
                     read_electrical);
        add_register(objects, object_name(1, 0, static_cast<std::uint8_t>(31 + group), 7, 0),
                     read_electrical);
    }
    add_register(objects, object_name(1, 0, 1, 7, 0), read_electrical);
    add_register(objects, object_name(1, 0, 2, 7, 0), read_electrical);
}

}  // namespace wattmesh::sim
