#include "terminal-sim/meter/push_frames.h"

#include <algorithm>
#include <array>

#include "protocol/dlms/general_block.h"
#include "protocol/link/hdlc_push.h"
#include "protocol/link/mbus.h"
#include "protocol/link/wrapper.h"

namespace wattmesh::sim {
namespace {

using cosem::push_setup::TransportService;

struct Row {
    std::string_view word;
    TransportService service;
};
constexpr std::array<Row, 4> rows{{{"wrapper", TransportService::tcp},
                                   {"udp", TransportService::udp},
                                   {"hdlc", TransportService::hdlc},
                                   {"mbus", TransportService::m_bus}}};

constexpr std::size_t mbus_part_size = 250, mbus_apdu_size_max = 16 * mbus_part_size;
constexpr std::size_t datagram_apdu_size_max = 65'000;  // a datagram of 65 507 octets, less the wrapper

std::vector<Buffer> frames_of(const PushRoute& route, Bytes plain) {
    const Buffer apdu = as_answer(route.gateway, to_buffer(plain));
    switch (route.link) {
        case PushLink::hdlc:
            return link::encode_hdlc_push({.destination = {.upper = route.client.value},
                                           .source = {.upper = route.server.value},
                                           .apdu = apdu},
                                          true, route.information_size);
        case PushLink::mbus:
            return link::encode_mbus_push({static_cast<std::uint8_t>(route.server.value),
                                           static_cast<std::uint8_t>(route.client.value), apdu},
                                          mbus_part_size);
        case PushLink::wrapper:
        case PushLink::udp:
            break;
    }
    return {link::encode_wrapper({route.server, route.client, apdu})};
}

}  // namespace

std::optional<PushLink> push_link(std::string_view word) {
    for (std::size_t i = 0; i < rows.size(); ++i)
        if (rows[i].word == word) return static_cast<PushLink>(i);
    return std::nullopt;
}

std::optional<PushLink> push_link(TransportService service) {
    for (std::size_t i = 0; i < rows.size(); ++i)
        if (rows[i].service == service) return static_cast<PushLink>(i);
    return std::nullopt;
}

std::string_view to_string(PushLink link) { return rows.at(static_cast<std::size_t>(link)).word; }

TransportService service_of(PushLink link) { return rows.at(static_cast<std::size_t>(link)).service; }

std::vector<Buffer> push_frames(const PushRoute& route, Bytes apdu) {
    std::size_t limit = std::min(route.pdu_size_max, datagram_apdu_size_max);
    if (route.link == PushLink::mbus) limit = std::min(limit, mbus_apdu_size_max);
    if (route.gateway) limit -= 3 + route.gateway->address.size();
    if (apdu.size() <= limit) return frames_of(route, apdu);
    std::size_t payload = limit;
    while (payload > 1 && dlms::general_block_size(payload) > limit) --payload;
    std::vector<Buffer> all;
    for (const auto& block : dlms::unconfirmed_blocks(apdu, payload))
        for (auto& frame : frames_of(route, dlms::encode(block))) all.push_back(std::move(frame));
    return all;
}

}  // namespace wattmesh::sim
