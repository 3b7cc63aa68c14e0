#pragma once
#include <cstdint>
#include <optional>

#include "protocol/base/cipher.h"
#include "protocol/mesh/network.h"

/// The two authenticated messages of a join. Both sides hold the meter's join key; the net key travels
/// wrapped (RFC 3394) under a key derived from it. Source: mesh design 2.3.
namespace wattmesh::mesh {

/// Sets `request.mac`. The PAN is under the MAC: a request cannot be moved to another concentrator.
void sign(JoinRequest& request, std::uint16_t pan, const Key128& join_key, Ciphers& ciphers);
[[nodiscard]] bool authentic(const JoinRequest& request, std::uint16_t pan, const Key128& join_key,
                             Ciphers& ciphers);

/// Wraps `net_key` and sets `accept.mac`; the answer fits exactly one request.
void seal(JoinAccept& accept, const JoinRequest& request, std::uint16_t pan, const Key128& net_key,
          const Key128& join_key, Ciphers& ciphers);
/// The net key, or nothing when the answer is forged or belongs to another request.
std::optional<Key128> open(const JoinAccept& accept, const JoinRequest& request, std::uint16_t pan,
                           const Key128& join_key, Ciphers& ciphers);

/// Wraps `net_key` and sets `update.mac`, under the meter's join key as well: whoever only has the net key in
/// use cannot make one, and an update of another network or number does not fit.
void seal(KeyUpdate& update, std::uint16_t pan, const Key128& net_key, const Key128& join_key,
          Ciphers& ciphers);
/// The net key, or nothing when it is forged.
std::optional<Key128> open(const KeyUpdate& update, std::uint16_t pan, const Key128& join_key,
                           Ciphers& ciphers);

}  // namespace wattmesh::mesh
