#pragma once
#include <optional>
#include <string>
#include <vector>

#include "headend/database/connection.h"
#include "headend/database/scope.h"
#include "protocol/base/id.h"

namespace wattmesh::headend::database {

/// What a point shows. Of a concentrator's number: its transformer, energy by its summary meter.
enum class ScadaQuantity : std::uint8_t {
    power,          ///< W, average over the newest interval, import less export
    import_energy,  ///< Wh, newest reading of register 1.8.0
    export_energy,  ///< Wh, of register 2.8.0
    customers,      ///< customers' meters under the transformer
    dark,           ///< those among them without power
    supply,         ///< 1: no power cut of the transformer is open
    online,         ///< 1: the concentrator is connected
    relay,          ///< double point: what the meter said of its breaker when we last switched it
    relay_command,  ///< opens and closes it
};
std::string_view to_string(ScadaQuantity quantity);
std::optional<ScadaQuantity> parse_scada_quantity(std::string_view word);

using ScadaLinkId = Id<struct ScadaLinkTag, std::int32_t>;

struct ScadaLink {
    ScadaLinkId id;
    TenantId tenant;
    std::string name;
    int version = 0;
    bool operator==(const ScadaLink&) const = default;
};

/// A line of the point table.
struct ScadaPoint {
    int station = 1;
    int address = 0;  ///< information object address
    int type = 13;    ///< type identification without time: 1, 3, 11, 13, 15, 45 or 46
    DeviceNumber device;
    ScadaQuantity quantity{};
    double scale = 1;     ///< shown = value / scale
    double deadband = 0;  ///< of what is shown; below 0: only interrogated
    int interval_s = 0;   ///< between two reports
    int freshness_s = 3'600;
    int group = 0;
    bool writable = false;
    bool operator==(const ScadaPoint&) const = default;
};
/// Whether a point of this type can show the quantity.
bool fits(ScadaQuantity quantity, int type);

/// What the database holds of one point.
struct ScadaValue {
    int station = 0, address = 0;
    double value = 0;
    Instant at{};
    bool clock_doubtful = false;
    bool offline = false;  ///< its concentrator is not connected
};

/// Tables scada_link and scada_point, and where the points' values come from.
class ScadaPoints {
public:
    explicit ScadaPoints(Connection& connection) : connection_(connection) {}

    std::optional<ScadaLink> link(const std::string& name);
    std::vector<ScadaLink> links();
    ScadaLinkId add_link(TenantId tenant, const std::string& name, Instant now, const std::string& by);
    /// Of the version in force, by station and address.
    std::vector<ScadaPoint> points(const ScadaLink& link);
    /// A new version, in the caller's transaction. Why not, or empty: an address that once meant something
    /// else is never used again.
    std::string replace(const ScadaLink& link, const std::vector<ScadaPoint>& points, Instant now,
                        const std::string& by);

    /// Of every point that has a value. Set-based: a few statements whatever the number of points.
    std::vector<ScadaValue> values(const ScadaLink& link, Instant now);

    /// Whether the meter lies where the link may look.
    bool shows(const ScadaLink& link, DeviceNumber meter);
    /// Numbers of the tenant's concentrators with a mesh, and of the customers' meters of one.
    std::vector<DeviceNumber> concentrators(TenantId tenant);

private:
    void add_power(const ScadaLink& link, std::vector<ScadaValue>& out);
    void add_energy(const ScadaLink& link, std::vector<ScadaValue>& out);
    void add_transformers(const ScadaLink& link, Instant now, std::vector<ScadaValue>& out);
    void add_relays(const ScadaLink& link, std::vector<ScadaValue>& out);

    Connection& connection_;
};

}  // namespace wattmesh::headend::database
