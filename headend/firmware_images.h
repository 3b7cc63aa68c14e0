#pragma once
#include "headend/database/query_queue.h"
#include "headend/frontend/ports.h"

namespace wattmesh::headend {

/// frontend::Images on the database, as wm_frontend: the image of the order that a concentrator has to carry
/// out next.
class FirmwareImages : public frontend::Images {
public:
    explicit FirmwareImages(database::QueryQueue& queue) : queue_(queue) {}
    void wanted(DeviceNumber concentrator, Buffer settled,
                std::function<void(std::optional<std::optional<frontend::WantedImage>>)> done) override;
    void supplied(DeviceNumber concentrator, const Buffer& identifier, const frontend::ImageSupplied& what,
                  Instant now) override;

private:
    database::QueryQueue& queue_;
};

}  // namespace wattmesh::headend
