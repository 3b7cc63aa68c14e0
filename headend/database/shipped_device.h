#pragma once
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "headend/database/bus_units.h"
#include "headend/database/keys.h"
#include "headend/database/line_file.h"
#include "protocol/dcu/objects.h"
#include "protocol/dlms/association_form.h"
#include "security/transport_key.h"

namespace wattmesh::headend::database {

struct ShippedKey {
    KeyPurpose purpose{};
    security::SecretBuffer octets;  ///< passwords: as stored, see padded()
};

/// A device as its manufacturer describes it.
struct ShippedDevice {
    enum class Kind : std::uint8_t { meter, concentrator, collector, bus } kind{};
    DeviceNumber number;
    SystemTitle title;
    std::string serial;  ///< the manufacturer's, empty when not said
    // Meters only:
    std::string model;
    std::optional<dcu::MeterRole> role;
    std::optional<DeviceNumber> concentrator;  ///< of collectors too
    bool direct = false;                       ///< it calls in by itself
    std::optional<DeviceNumber> bus;           ///< it is behind this one
    BusPlace place;                            ///< on it
    int suite = 0;                             ///< DLMS security suite: 0, 1 or 2
    dlms::AssociationForm form;
    std::vector<ShippedKey> keys;  ///< of collectors: the mesh join key
    // Buses only:
    std::optional<std::string> address;  ///< host:port that we call; nothing: it calls in
};

/// How the keys of a file are unwrapped.
struct ShippedKeyForm {
    std::optional<security::TransportKey> transport;  ///< keys and passwords are wrapped under it
    bool plain = false;  ///< or they are in clear: for benches and demonstrations
};

/// What a shipment's file looks like.
LineFile::Form shipment_form();

/// Throws LineRefused. What depends on the database (model, concentrator, keys it has) is not checked here.
ShippedDevice read_shipped_device(const FileLine& line, const ShippedKeyForm& form);

/// A password as it is stored: one octet length, the password, zeros up to whole blocks of the key wrap.
security::SecretBuffer padded(Bytes password);
/// The password in a stored one; nothing when there is none in it.
std::optional<Bytes> unpadded(Bytes stored);

}  // namespace wattmesh::headend::database
