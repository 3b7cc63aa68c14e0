#include "headend/firmware_images.h"

#include "headend/database/firmware.h"

namespace wattmesh::headend {
namespace {

std::string supply_state(frontend::ImageSupplied::State state) {
    switch (state) {
        case frontend::ImageSupplied::State::initiated:
            return "initiated";
        case frontend::ImageSupplied::State::sending:
            return "sending";
        case frontend::ImageSupplied::State::verified:
            return "verified";
        case frontend::ImageSupplied::State::failed:
            break;
    }
    return "failed";
}

}  // namespace

void FirmwareImages::wanted(DeviceNumber concentrator, Buffer settled,
                            std::function<void(std::optional<std::optional<frontend::WantedImage>>)> done) {
    queue_.run(
        [concentrator, settled = std::move(settled)](
            database::Connection& connection) -> std::optional<frontend::WantedImage> {
            auto wanted = database::FirmwareRoad{connection}.wanted(concentrator, settled);
            if (!wanted) return std::nullopt;
            return frontend::WantedImage{std::move(wanted->digest), std::move(wanted->content),
                                         wanted->initiated};
        },
        std::move(done));
}

void FirmwareImages::supplied(DeviceNumber concentrator, const Buffer& identifier,
                              const frontend::ImageSupplied& what, Instant now) {
    queue_.execute(
        [concentrator, identifier, what, now](database::Connection& connection) {
            database::FirmwareRoad{connection}.supplied(identifier,
                                                        {.concentrator = concentrator,
                                                         .state = supply_state(what.state),
                                                         .blocks_done = static_cast<int>(what.blocks_done),
                                                         .blocks = static_cast<int>(what.blocks),
                                                         .reason = what.reason,
                                                         .changed = now});
        },
        [](bool) {});  // lost: told again with the next progress, or found out at the concentrator
}

}  // namespace wattmesh::headend
