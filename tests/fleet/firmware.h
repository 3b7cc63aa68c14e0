#pragma once
#include <map>

#include "headend/frontend/ports.h"
#include "tests/fleet/timeline.h"

namespace wattmesh::fleet {

/// The image that concentrators should have, and what front-ends told of its way there; both share it.
class FirmwareDepot final : public headend::frontend::Images {
public:
    explicit FirmwareDepot(Timeline& timeline) : timeline_(timeline) {}

    void offer(DeviceNumber concentrator, Buffer identifier, Buffer octets) {
        for_ = concentrator;
        identifier_ = std::move(identifier);
        octets_ = std::move(octets);
    }
    void wanted(
        DeviceNumber concentrator, Buffer settled,
        std::function<void(std::optional<std::optional<headend::frontend::WantedImage>>)> done) override {
        using namespace std::chrono_literals;
        std::optional<headend::frontend::WantedImage> image;
        if (concentrator == for_)
            image = headend::frontend::WantedImage{identifier_, settled == identifier_ ? Buffer{} : octets_,
                                                   begun_[concentrator]};
        timeline_.after(5ms, [image, done = std::move(done)] { done(image); });
    }
    void supplied(DeviceNumber concentrator, const Buffer&, const headend::frontend::ImageSupplied& what,
                  Instant) override {
        using State = headend::frontend::ImageSupplied::State;
        begun_[concentrator] = what.state != State::failed;
        initiations += what.state == State::initiated ? 1 : 0;
        failures += what.state == State::failed ? 1 : 0;
        verified[concentrator] = what.state == State::verified;
        blocks_done = std::max(blocks_done, what.blocks_done);
    }

    int initiations = 0, failures = 0;
    std::uint32_t blocks_done = 0;
    std::map<DeviceNumber, bool> verified;

private:
    Timeline& timeline_;
    DeviceNumber for_;
    Buffer identifier_, octets_;
    std::map<DeviceNumber, bool> begun_;
};

}  // namespace wattmesh::fleet
