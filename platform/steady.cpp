#include "platform/steady.h"

namespace wattmesh::platform {

Instant steady_now() {
    const auto since = std::chrono::steady_clock::now().time_since_epoch();
    return Instant{std::chrono::floor<Duration>(since)};
}

}  // namespace wattmesh::platform
