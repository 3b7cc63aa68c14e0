#include "headend/database/pg_callers.h"

#include "headend/database/concentrators.h"

namespace wattmesh::headend::database {

void PgCallers::open_caller(DeviceNumber number, Instant now,
                            std::function<void(std::optional<frontend::SessionOpened>)> done) {
    using frontend::SessionOpened, frontend::Standing;
    queue_.run(
        [number, now](Connection& connection) -> SessionOpened {
            const auto grant = Concentrators{connection}.open_session(number, now, Road::direct);
            if (!grant) return {Standing::unknown, {}};
            if (grant->state == ConcentratorState::revoked) return {Standing::revoked, {}};
            return {Standing::known, grant->epoch};
        },
        std::move(done));
}

}  // namespace wattmesh::headend::database
