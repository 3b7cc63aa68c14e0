#pragma once
#include <tuple>
#include <vector>

#include "protocol/cosem/class_table.h"
#include "protocol/cosem/models/meter_model.h"
#include "protocol/dlms/object.h"
#include "terminal-sim/meter/audience.h"

namespace wattmesh::sim {

class Meter;

/// A set of attribute or method ids 1 to 31.
struct Members {
    std::uint32_t bits = 0;
    constexpr Members() = default;
    constexpr Members(std::initializer_list<int> ids) {
        for (const int id : ids) bits |= std::uint32_t{1} << id;
    }
    constexpr bool contain(std::int8_t id) const { return id > 0 && (bits >> id & 1) != 0; }
};

/// One object as every meter with it has it: no state in here, so meters share their tables. Types, names and
/// ids come from the class table.
struct SimObject {
    struct Read {
        const SimObject& object;
        std::int8_t attribute;
        const dlms::Selection& selection;
        Sap client;
        Instant now;
    };
    struct Call {
        const SimObject& object;
        std::int8_t method;
        const dlms::Data& argument;
        Instant now;
    };
    const cosem::ClassSpec* spec = nullptr;
    ObisCode name{};
    unsigned audience = for_customers;
    /// An attribute that was not written, 2 and above.
    dlms::ReadOutcome (*read)(const Meter& meter, const Read& what) = nullptr;
    Members writable{};  ///< by the management client
    Members hidden{};    ///< for everybody
    Members methods{};   ///< of the management client
    dlms::ActionOutcome (*act)(Meter& meter, const Call& what) = nullptr;
    /// Instead of storing what is written, after its type was checked.
    dlms::AccessResult (*write)(Meter& meter, const dlms::Data& value, Instant now) = nullptr;
    Members remembered{};  ///< methods that are replayed as deeds after a restart
};
using SimObjects = std::vector<SimObject>;

/// What kinds of meters have in common: how many phases, whether a breaker, which model.
struct TableKey {
    int phases = 1;
    bool breaker = false;
    bool over_radio = false;  ///< no modem and no IP of its own
    bool prepaid = false;
    const cosem::MeterModel* model = nullptr;
    friend bool operator<(const TableKey& a, const TableKey& b) {
        return std::tie(a.phases, a.breaker, a.over_radio, a.prepaid, a.model->name) <
               std::tie(b.phases, b.breaker, b.over_radio, b.prepaid, b.model->name);
    }
};
/// Shared by all meters of a kind, made when the first one asks; lives as long as the program. Thread safe.
const SimObjects& objects_of(const TableKey& key);

/// Everything that a meter shows, by theme; each adds to `objects`. Implemented in the files of this folder;
/// friends of Meter.
struct ObjectMaker {
    static void identity(SimObjects& objects);
    static void clock(SimObjects& objects);
    static void energy(SimObjects& objects, const TableKey& key);
    static void electrical(SimObjects& objects, const TableKey& key);
    static void demand(SimObjects& objects);
    static void profiles(SimObjects& objects);
    static void supply(SimObjects& objects);
    static void arbitrator(SimObjects& objects);
    static void calendar(SimObjects& objects);
    static void schedule(SimObjects& objects);
    static void image(SimObjects& objects);
    static void security(SimObjects& objects, const TableKey& key);
    static void push(SimObjects& objects);
    static void ports(SimObjects& objects, const TableKey& key);
    static void mbus(SimObjects& objects);
    static void payment(SimObjects& objects);
    static void prepayment(SimObjects& objects, const TableKey& key);
};

/// 0-0:C.D.E*255 and the like.
constexpr ObisCode object_name(std::uint8_t a, std::uint8_t b, std::uint8_t c, std::uint8_t d,
                               std::uint8_t e) {
    return ObisCode{{a, b, c, d, e, 255}};
}

}  // namespace wattmesh::sim
