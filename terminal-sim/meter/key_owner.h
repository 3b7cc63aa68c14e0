#pragma once
#include <cstdint>

namespace wattmesh::sim {

/// Whose keys: each client that comes ciphered has its own.
enum class KeyOwner : std::uint8_t { management, reading };

}  // namespace wattmesh::sim
