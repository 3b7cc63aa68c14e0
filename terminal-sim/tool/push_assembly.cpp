#include "terminal-sim/tool/push_assembly.h"

#include <utility>

namespace wattmesh::sim {
namespace {

void append(Buffer& to, Bytes octets) { to.insert(to.end(), octets.begin(), octets.end()); }

}  // namespace

std::vector<PushAssembly::Push> PushAssembly::feed(Bytes octets, Instant now) {
    std::vector<Push> pushes;
    switch (link_) {
        case PushLink::hdlc:
            hdlc_.feed(octets);
            while (const auto frame = hdlc_.next()) {
                const Buffer whole = link::encode_hdlc(*frame);
                hdlc_receiver_.feed(whole, now);
                std::vector<Buffer> apdus;
                while (auto push = hdlc_receiver_.take()) apdus.push_back(std::move(push->apdu));
                take(whole, apdus, pushes);
            }
            break;
        case PushLink::mbus:
            mbus_.feed(octets);
            while (const auto frame = mbus_.next()) {
                const Buffer whole = link::encode_mbus(*frame);
                mbus_receiver_.feed(whole, now);
                std::vector<Buffer> apdus;
                while (auto push = mbus_receiver_.take()) apdus.push_back(std::move(push->apdu));
                take(whole, apdus, pushes);
            }
            break;
        case PushLink::wrapper:
        case PushLink::udp:
            wrapper_.feed(octets);
            while (auto frame = wrapper_.next()) take(link::encode_wrapper(*frame), {frame->payload}, pushes);
            break;
    }
    return pushes;
}

std::vector<PushAssembly::Push> PushAssembly::feed_datagram(Bytes datagram) {
    std::vector<Push> pushes;
    const auto frame = link::decode_wrapper_datagram(datagram);
    if (!frame) return {{to_buffer(datagram), false}};
    take(datagram, {frame->payload}, pushes);
    return pushes;
}

void PushAssembly::take(Bytes frame, const std::vector<Buffer>& apdus, std::vector<Push>& pushes) {
    append(unfinished_, frame);
    for (const Buffer& apdu : apdus) {
        const auto relayed =
            link::is_gateway(apdu) ? link::decode_gateway(apdu) : Result<link::GatewayFrame>{Error{}};
        const auto block = dlms::decode_general_block(relayed ? relayed->apdu : apdu);
        if (!block || block->number == 1) give_up(pushes);
        append(gathered_, std::exchange(unfinished_, {}));
        const bool complete = !block || blocks_.receive(*block).has_value();
        if (block && !complete && !block->last) continue;
        pushes.push_back({std::exchange(gathered_, {}), complete});
        blocks_ = dlms::BlockCollector{};
    }
    if (gathered_.size() + unfinished_.size() > push_size_max) {
        append(gathered_, std::exchange(unfinished_, {}));
        give_up(pushes);
    }
}

void PushAssembly::give_up(std::vector<Push>& pushes) {
    if (!gathered_.empty()) pushes.push_back({std::exchange(gathered_, {}), false});
    blocks_ = dlms::BlockCollector{};
}

std::vector<PushAssembly::Push> PushAssembly::end() {
    std::vector<Push> pushes;
    append(gathered_, std::exchange(unfinished_, {}));
    give_up(pushes);
    return pushes;
}

}  // namespace wattmesh::sim
