#pragma once
#include <cstdint>

#include "protocol/base/bytes.h"
#include "protocol/base/time.h"

namespace wattmesh::sim {

/// What people did to a meter. Replayed in order it brings a meter back to where it was.
struct Deed {
    enum class Kind : std::uint8_t { clock_set, disconnected, reconnected, written, called };
    Kind kind{};
    Instant at{};      ///< true time
    Instant shown{};   ///< clock_set: the new time
    Buffer content{};  ///< written, called: class id, object, attribute or method, and the encoded value
    friend bool operator==(const Deed&, const Deed&) = default;
};

}  // namespace wattmesh::sim
