#include "terminal-sim/meter/gateway_door.h"

#include <charconv>
#include <string>

#include "protocol/link/wrapper.h"

namespace wattmesh::sim {
namespace {

std::optional<Buffer> unpack(const std::optional<GatewayAddress>& there, Bytes payload, bool response) {
    if (!there) return to_buffer(payload);
    auto frame = link::decode_gateway(payload);
    if (!frame || frame->response != response || frame->network != there->network ||
        frame->address != there->address)
        return std::nullopt;
    return std::move(frame->apdu);
}

Buffer pack(const std::optional<GatewayAddress>& there, Buffer apdu, bool response) {
    if (!there) return apdu;
    return link::encode_gateway({response, there->network, there->address, std::move(apdu)});
}

}  // namespace

std::optional<GatewayAddress> gateway_address(std::string_view text) {
    constexpr std::size_t address_size_max = 32;
    const auto colon = text.find(':');
    if (colon == std::string_view::npos) return std::nullopt;
    GatewayAddress made;
    const auto [at, error] = std::from_chars(text.data(), text.data() + colon, made.network);
    if (error != std::errc{} || at != text.data() + colon) return std::nullopt;
    const auto address = text.substr(colon + 1);
    if (address.starts_with("0x")) {
        const auto octets = from_hex(std::string{address.substr(2)});
        if (!octets) return std::nullopt;
        made.address = *octets;
    } else {
        made.address = to_buffer(as_bytes(address));
    }
    if (made.address.empty() || made.address.size() > address_size_max) return std::nullopt;
    return made;
}

std::optional<Buffer> out_of_request(const std::optional<GatewayAddress>& own, Bytes payload) {
    return unpack(own, payload, false);
}
std::optional<Buffer> out_of_answer(const std::optional<GatewayAddress>& meter, Bytes payload) {
    return unpack(meter, payload, true);
}
Buffer as_request(const std::optional<GatewayAddress>& meter, Buffer apdu) {
    return pack(meter, std::move(apdu), false);
}
Buffer as_answer(const std::optional<GatewayAddress>& own, Buffer apdu) {
    return pack(own, std::move(apdu), true);
}

}  // namespace wattmesh::sim
