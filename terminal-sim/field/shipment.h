#pragma once
#include <filesystem>
#include <map>

#include "protocol/base/cipher.h"
#include "protocol/dlms/security.h"
#include "security/transport_key.h"
#include "terminal-sim/field/town.h"
#include "terminal-sim/meter/prepaid_meter.h"

namespace wattmesh::sim {

/// Secrets of one meter, as the manufacturer delivers them. Wiped when they go.
struct MeterKeys {
    dlms::ClientKeys management, reading;  ///< the master key stands in the first
    Key128 join;
    Buffer lls_password;  ///< of the reading client at the bench
};
/// Keys of the meters, and the mesh join keys of the collectors, which have no others.
struct Shipment : std::map<DeviceNumber, MeterKeys> {
    std::map<DeviceNumber, Key128> collectors;
    std::map<DeviceNumber, PrepaidSettings> prepaid;  ///< meters that sell by token (prepaid_town.h)
};

/// Fresh keys for every meter and collector of the town.
Shipment make_shipment(const Town& town, Random& random);

/// What the manufacturer sends to the utility, for `headend import`: JSON Lines, keys wrapped under the
/// transport key.
void write_delivery(const std::filesystem::path& file, const Town& town, const Shipment& shipment,
                    const security::TransportKey& transport);

/// shipment.json, what the factory put into the meters and the simulator loads, mode 0600: {"wattmesh":
/// "shipment", "version": 1, "concentrators": [{number, system_title}], "meters": [{number, system_title,
/// concentrator, role: "customer" | "summary", model, ek_management, ak_management, ek_reading, ak_reading,
/// join, master_key (32 hex digits each; without the last one a meter takes no new keys), lls_password,
/// prepaid {pan, sgc, krn, ti, base_year, decoder_key, balance_wh, reconnection} where it sells by token}],
/// "collectors": [{number, system_title, concentrator, join}]}, the last one only when there are any.
void write_shipment(const std::filesystem::path& file, const Town& town, const Shipment& shipment);
/// Throws std::runtime_error naming the file and the field, never a key.
Shipment read_shipment(const std::filesystem::path& file);

}  // namespace wattmesh::sim
