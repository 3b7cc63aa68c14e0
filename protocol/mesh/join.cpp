#include "protocol/mesh/join.h"

#include <algorithm>

#include "protocol/base/writer.h"

namespace wattmesh::mesh {
namespace {

JoinMac truncated(const std::array<std::uint8_t, 16>& full) {
    JoinMac mac{};
    std::copy_n(full.begin(), mac.size(), mac.begin());
    return mac;
}

JoinMac request_mac(const JoinRequest& request, std::uint16_t pan, const Key128& join_key, Ciphers& ciphers) {
    const Buffer encoded = encode(request);
    Writer out;
    out.bytes(as_bytes("WMJ1")).u16(pan).bytes(Bytes{encoded}.first(encoded.size() - request.mac.size()));
    return truncated(ciphers.mac(join_key)->compute(out.view()));
}

JoinMac accept_mac(const JoinAccept& accept, const JoinRequest& request, std::uint16_t pan,
                   const Key128& join_key, Ciphers& ciphers) {
    const Buffer encoded = encode(accept);
    Writer out;
    out.bytes(as_bytes("WMJ2")).u16(pan).u32(request.counter).bytes(request.nonce);
    out.bytes(Bytes{encoded}.first(encoded.size() - accept.mac.size()));
    return truncated(ciphers.mac(join_key)->compute(out.view()));
}

JoinMac update_mac(const KeyUpdate& update, std::uint16_t pan, const Key128& join_key, Ciphers& ciphers) {
    const Buffer encoded = encode(update);
    Writer out;
    out.bytes(as_bytes("WMJ3")).u16(pan).bytes(Bytes{encoded}.first(encoded.size() - update.mac.size()));
    return truncated(ciphers.mac(join_key)->compute(out.view()));
}

Key128 wrapping_key(const Key128& join_key, Ciphers& ciphers) {
    return Key128{ciphers.mac(join_key)->compute(as_bytes("WMJK net key wrapping"))};
}

}  // namespace

void sign(JoinRequest& request, std::uint16_t pan, const Key128& join_key, Ciphers& ciphers) {
    request.mac = request_mac(request, pan, join_key, ciphers);
}

bool authentic(const JoinRequest& request, std::uint16_t pan, const Key128& join_key, Ciphers& ciphers) {
    return equal_constant_time(request_mac(request, pan, join_key, ciphers), request.mac);
}

void seal(JoinAccept& accept, const JoinRequest& request, std::uint16_t pan, const Key128& net_key,
          const Key128& join_key, Ciphers& ciphers) {
    const Buffer wrapped = ciphers.key_wrap(wrapping_key(join_key, ciphers))->wrap(net_key.reveal());
    std::copy_n(wrapped.begin(), accept.wrapped_net_key.size(), accept.wrapped_net_key.begin());
    accept.mac = accept_mac(accept, request, pan, join_key, ciphers);
}

std::optional<Key128> open(const JoinAccept& accept, const JoinRequest& request, std::uint16_t pan,
                           const Key128& join_key, Ciphers& ciphers) {
    if (accept.meter != request.meter) return std::nullopt;
    if (!equal_constant_time(accept_mac(accept, request, pan, join_key, ciphers), accept.mac))
        return std::nullopt;
    if (accept.short_address == root_address || accept.short_address > short_address_max) return std::nullopt;
    const auto key = ciphers.key_wrap(wrapping_key(join_key, ciphers))->unwrap(accept.wrapped_net_key);
    return key ? Key128::from(*key) : std::nullopt;
}

void seal(KeyUpdate& update, std::uint16_t pan, const Key128& net_key, const Key128& join_key,
          Ciphers& ciphers) {
    const Buffer wrapped = ciphers.key_wrap(wrapping_key(join_key, ciphers))->wrap(net_key.reveal());
    std::copy_n(wrapped.begin(), update.wrapped_net_key.size(), update.wrapped_net_key.begin());
    update.mac = update_mac(update, pan, join_key, ciphers);
}

std::optional<Key128> open(const KeyUpdate& update, std::uint16_t pan, const Key128& join_key,
                           Ciphers& ciphers) {
    if (!equal_constant_time(update_mac(update, pan, join_key, ciphers), update.mac)) return std::nullopt;
    const auto key = ciphers.key_wrap(wrapping_key(join_key, ciphers))->unwrap(update.wrapped_net_key);
    return key ? Key128::from(*key) : std::nullopt;
}

}  // namespace wattmesh::mesh
