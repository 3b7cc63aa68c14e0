#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "headend/database/connection.h"
#include "headend/database/shipped_device.h"
#include "security/master_key.h"

namespace wattmesh::headend::database {

struct ShipmentOptions {
    Instant now{};
    /// From when on readings of new meters are expected.
    Instant installed{};
    ShippedKeyForm keys;
    /// A known meter that comes with other keys or another title gets them; otherwise it is refused: a wrong
    /// file must not lock us out.
    bool replace = false;
    /// For the audit log: who imports, and what the file is called.
    std::string actor, file;
};

/// What became of one line. Never holds a key.
struct ShipmentLineReport {
    int line = 0;
    std::string device;  ///< its number, empty when the line has none
    LineOutcome outcome{};
    std::string why;  ///< accepted: "new", "changed" or "new keys"; refused: the reason
};

struct ShipmentReport {
    int accepted = 0, unchanged = 0, refused = 0;  ///< lines
    int meters_new = 0, meters_changed = 0, keys_replaced = 0, concentrators_new = 0;
    int collectors_changed = 0;  ///< new ones among them
    std::string sha256;          ///< of the file, upper-case hexadecimal
    std::vector<ShipmentLineReport> lines;
    bool complete() const { return refused == 0; }
};

/// A manufacturer's shipment file (line_file.h, shipped_device.h): registers concentrators and meters and
/// stores the keys wrapped under the master key. A line that is refused changes nothing and stops no other.
/// Running it again changes nothing. The audit log says who imported what.
class ShipmentImport {
public:
    ShipmentImport(Connection& connection, const security::MasterKey& master)
        : connection_(connection), master_(master) {}

    /// One transaction. Throws std::runtime_error, saying what is wrong, when the text is no shipment at all,
    /// and DatabaseError.
    ShipmentReport run(std::string_view text, const ShipmentOptions& options);

private:
    Connection& connection_;
    const security::MasterKey& master_;
};

}  // namespace wattmesh::headend::database
