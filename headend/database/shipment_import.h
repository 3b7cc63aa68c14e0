#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "headend/database/connection.h"
#include "protocol/base/id.h"
#include "security/master_key.h"

namespace wattmesh::headend::database {

struct ShipmentOptions {
    Instant now{};
    /// From when on readings of new meters are expected.
    Instant installed{};
    /// A known meter that comes with other keys gets them; otherwise it is refused: a wrong file must not
    /// lock us out.
    bool replace_keys = false;
};

/// What could not be imported, for the person who ran it. Never holds a key.
struct ShipmentFault {
    std::string where;  ///< "meters[3] 540000000003"
    std::string why;
};

struct ShipmentReport {
    int concentrators_new = 0, concentrators_known = 0;
    int meters_new = 0, meters_known = 0, keys_replaced = 0;
    std::vector<ShipmentFault> faults;  ///< these devices were skipped, the others are imported
    bool complete() const { return faults.empty(); }
};

/// The manufacturer's shipment file (JSON, as `terminal-sim provision` writes it): registers concentrators
/// and meters and stores the keys wrapped under the master key. Running it again changes nothing.
class ShipmentImport {
public:
    ShipmentImport(Connection& connection, const security::MasterKey& master)
        : connection_(connection), master_(master) {}

    /// One transaction. Throws std::runtime_error, saying what is wrong, when the text is no shipment at all,
    /// and DatabaseError.
    ShipmentReport run(std::string_view json, const ShipmentOptions& options);

private:
    Connection& connection_;
    const security::MasterKey& master_;
};

}  // namespace wattmesh::headend::database
