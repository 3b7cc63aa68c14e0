#include "headend/console/loop_reads.h"

namespace wattmesh::headend::console {

void LoopReads::topology(DeviceNumber concentrator,
                         std::function<void(std::optional<std::vector<dcu::TopologyNode>>)> done) {
    loop_.post([this, concentrator, done = std::move(done)] {
        const dlms::AttributeId attribute{.class_id = 1, .object = dcu::objects::topology, .attribute = 2};
        read_concentrator_(concentrator, attribute, [done](const std::optional<dlms::ReadOutcome>& outcome) {
            const auto* data = outcome ? std::get_if<dlms::Data>(&*outcome) : nullptr;
            if (data == nullptr) return done(std::nullopt);
            auto nodes = dcu::topology_from_data(*data);
            if (nodes) return done(std::move(*nodes));
            return done(std::nullopt);
        });
    });
}

}  // namespace wattmesh::headend::console
