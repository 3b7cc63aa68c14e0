#include "headend/desired_objects.h"

#include "headend/database/concentrators.h"
#include "headend/database/desired_states.h"

namespace wattmesh::headend {

void DesiredObjects::wanted(DeviceNumber concentrator, Instant,
                            std::function<void(std::optional<std::vector<frontend::WantedObject>>)> done) {
    queue_.run(
        [concentrator](database::Connection& connection) {
            std::vector<frontend::WantedObject> wanted;
            const auto known = database::Concentrators{connection}.find(concentrator);
            if (!known) return wanted;
            for (auto& object : database::DesiredStates{connection}.of(known->id)) {
                wanted.push_back(
                    {object.object, object.version, std::move(object.content), !object.pending()});
            }
            return wanted;
        },
        std::move(done));
}

void DesiredObjects::confirm(DeviceNumber concentrator, ObisCode object, std::uint32_t version, Instant now) {
    queue_.execute(
        [=](database::Connection& connection) {
            const auto known = database::Concentrators{connection}.find(concentrator);
            if (known) database::DesiredStates{connection}.confirm(known->id, object, version, now);
        },
        [](bool) {});  // lost: it is read back again at the next log-in
}

void DesiredObjects::overtaken(DeviceNumber concentrator, ObisCode object, std::uint32_t version,
                               Instant now) {
    if (version < 0xFFFF'FFFF) confirm(concentrator, object, version + 1, now);
}

}  // namespace wattmesh::headend
