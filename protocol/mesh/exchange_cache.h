#pragma once
#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "protocol/base/bytes.h"
#include "protocol/base/time.h"

namespace wattmesh::mesh {

/// Packets passed on lately: 64 of them, 30 s (mesh design 2.5).
class DuplicateCache {
public:
    /// True when this packet is new; then it is remembered.
    bool admit(std::uint16_t source, std::uint16_t sequence, std::uint8_t kind, Instant now);
    void clear() { rows_.clear(); }

private:
    struct Row {
        std::uint16_t source, sequence;
        std::uint8_t kind;
        Instant at;
    };
    std::deque<Row> rows_;
};

/// Who handed us a request that went on down or was for us: its answer goes back the same way. 32 of them,
/// 30 s.
class WayBack {
public:
    void passed(std::uint16_t target, std::uint16_t sequence, std::uint16_t from, Instant now);
    std::optional<std::uint16_t> find(std::uint16_t target, std::uint16_t sequence, Instant now) const;
    void clear() { rows_.clear(); }

private:
    struct Row {
        std::uint16_t target, sequence, from;
        Instant at;
    };
    std::deque<Row> rows_;  // newest first
};

/// Requests served lately and their answers, so that a repeated request is answered again and not executed
/// again.
class AnswerCache {
public:
    struct Row {
        std::uint16_t sequence = 0;
        std::uint16_t digest = 0;  ///< of the request: a root that lost its memory may use a sequence again
        std::uint8_t attempt = 0;  ///< the newest one asked for
        std::uint8_t priority = 3;
        Instant at{};
        std::optional<Buffer> answer;  ///< nothing while the application works
    };
    Row* find(std::uint16_t sequence, Bytes request, Instant now);
    Row* find_open(std::uint16_t sequence);
    Row& open(std::uint16_t sequence, Bytes request, Instant now);
    void clear() { rows_.clear(); }

private:
    std::vector<Row> rows_;  // oldest first
};

}  // namespace wattmesh::mesh
