#pragma once
#include <string>

#include "headend/database/keys.h"
#include "protocol/base/id.h"
#include "security/master_key.h"

/// How keys lie in the database: wrapped under the master key, each for its own row and use.
namespace wattmesh::headend::monitor {

inline std::string purpose_of(DeviceNumber meter, database::KeyPurpose purpose) {
    return "meter " + to_string(meter) + " " + std::to_string(static_cast<int>(purpose));
}
inline std::string kek_purpose(DeviceNumber concentrator) {
    return "concentrator " + to_string(concentrator) + " kek";
}

/// Nothing when there is no such key or it does not unwrap.
inline std::optional<Key128> open_key(const security::MasterKey& master, const std::string& purpose,
                                      Bytes sealed) {
    const auto plain = master.unwrap(purpose, sealed);
    return plain ? Key128::from(plain->reveal()) : std::nullopt;
}

}  // namespace wattmesh::headend::monitor
