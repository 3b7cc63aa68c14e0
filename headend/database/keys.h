#pragma once
#include <optional>
#include <string>
#include <vector>

#include "headend/database/connection.h"
#include "protocol/base/bytes.h"
#include "protocol/base/id.h"

namespace wattmesh::headend::database {

/// What a stored key is for. Blobs are sealed under the master key before they come here.
enum class KeyPurpose {
    management_ek,
    management_ak,
    management_secret,  ///< head-end only; secret: HLS password where a meter uses one
    reading_ek,
    reading_ak,
    mesh_join,             ///< head-end and, wrapped, the meter's concentrator
    lls_password,          ///< optical or bench port
    master,                ///< head-end only: wraps new keys on their way to the meter (key transfer)
    management_broadcast,  ///< global broadcast encryption key
};

std::string to_string(KeyPurpose purpose);

struct SealedKey {
    KeyPurpose purpose{};
    Buffer sealed;
};
struct MeterReadingKeys {
    DeviceNumber number;
    Buffer reading_ek, reading_ak, mesh_join;  ///< sealed
};

/// Tables meter_key and concentrator_key: sealed blobs only.
class Keys {
public:
    explicit Keys(Connection& connection) : connection_(connection) {}

    void put(MeterId meter, KeyPurpose purpose, Bytes sealed, Instant now);
    std::optional<Buffer> find(MeterId meter, KeyPurpose purpose);
    std::vector<SealedKey> of(MeterId meter);
    /// Reading and join keys of every meter that has all three and is a concentrator's, or has asked there,
    /// ordered by number.
    std::vector<MeterReadingKeys> reading_keys_of(ConcentratorId concentrator);

    /// The key-encryption key the concentrator got at enrolment, sealed.
    void put_kek(ConcentratorId concentrator, Bytes sealed, Instant now);
    std::optional<Buffer> find_kek(ConcentratorId concentrator);

private:
    Connection& connection_;
};

}  // namespace wattmesh::headend::database
