#pragma once
#include <optional>

#include "protocol/decode/walk.h"

/// Messages that come in parts: segments of HDLC and M-Bus, blocks of services and of general block transfer.
namespace wattmesh::decode {

/// A part of `size` octets at `begin` in the walk's passage. Parts count from 1; without a number it is the
/// next one, whatever that is. After the last one the whole is decoded. Parts without their predecessors are
/// said to be that, and nothing more.
void add_part(Walk& walk, Content content, std::optional<std::uint32_t> number, bool last, std::size_t begin,
              std::size_t size);
/// The next `size` octets of the walk as a part; where fewer are there, these begin one that stays
/// unfinished.
void add_part_of(Walk& walk, Content content, std::uint32_t number, bool last, std::size_t size);
/// A part that is the next one of what has begun in this direction.
bool is_begun(const Session& session, Content content);
/// The input is at its end: what has begun is decoded as far as it goes.
void finish_transfers(Session& session);

}  // namespace wattmesh::decode
