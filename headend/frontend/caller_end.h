#pragma once
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace wattmesh::headend::frontend {

/// Why a session with a device of another make ended; each has a counter and words.
enum class CallerEnd : std::uint8_t {
    closed_by_peer,
    no_identity,  ///< neither a hello nor an answer in time
    silent,       ///< three heartbeats missed
    unfinished_frame,
    malformed,       ///< not what this port serves, or out of step
    other_identity,  ///< a hello with another number on the same link
    took_over,       ///< the number called in anew
    held,            ///< the number calls in too often
    superseded,      ///< a newer session in another process
    revoked,
    flood,  ///< more octets than a device has to say
    ended_here,
    logged_out,  ///< the device said good-bye
};
inline constexpr std::size_t caller_end_count = 13;
std::string_view to_string(CallerEnd end);

}  // namespace wattmesh::headend::frontend
