#pragma once
#include <optional>
#include <string>
#include <vector>

#include "headend/database/connection.h"
#include "protocol/base/id.h"
#include "protocol/base/obis.h"
#include "protocol/dcu/journal.h"

namespace wattmesh::headend::database {

/// Where a meter is on its bus, and how it differs from its model's register map.
struct BusPlace {
    int unit = 0;                      ///< 1 to 247; behind a Q/GDW 376.1 terminal its point, 1 to 2040
    std::optional<std::string> order;  ///< abcd, cdab, badc or dcba
    std::optional<int> base;
    friend bool operator==(const BusPlace&, const BusPlace&) = default;
};

/// A channel of a bank that a meter on a bus fills.
struct BusChannel {
    int channel = 0;  ///< from 1
    ObisCode register_;
    int scaler = 0, unit = 0;
};

struct BusMeter {
    DeviceNumber number;
    BusPlace place;
    std::string map;  ///< name of the register map; empty: speaks DL/T 645, behind a terminal
    std::vector<BusChannel> interval;  ///< of the load profile: what a counter rose by
    std::vector<BusChannel> polled;    ///< of the polled registers
    /// The newest polled row, if it is no older than a day.
    std::optional<dcu::IntervalRow> last;
    std::vector<BusChannel> daily, curve;  ///< of frozen days and power curves, which terminals keep
};

struct DialledBus {
    DeviceNumber number;
    std::string address;  ///< host:port
    friend bool operator==(const DialledBus&, const DialledBus&) = default;
};

/// Table bus_unit, and the buses of table concentrator.
class BusUnits {
public:
    explicit BusUnits(Connection& connection) : connection_(connection) {}

    std::optional<BusPlace> find(MeterId meter);
    /// Who has this unit.
    std::optional<DeviceNumber> who(ConcentratorId bus, int unit);
    /// Throws DatabaseError when another meter has the unit.
    void put(MeterId meter, ConcentratorId bus, const BusPlace& place);
    std::optional<std::string> address(ConcentratorId bus);
    void set_address(ConcentratorId bus, const std::optional<std::string>& address);
    /// Whether the model is read over a bus, and by which map; nothing for one that speaks DL/T
    /// 645.
    std::optional<std::string> map_of(const std::string& model);

    std::vector<BusMeter> of(DeviceNumber bus, Instant now);
    /// Buses that we call; no revoked ones.
    std::vector<DialledBus> dialled();

private:
    Connection& connection_;
};

}  // namespace wattmesh::headend::database
