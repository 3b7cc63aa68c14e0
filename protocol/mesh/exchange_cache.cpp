#include "protocol/mesh/exchange_cache.h"

#include <algorithm>

#include "protocol/mesh/frame.h"

namespace wattmesh::mesh {
namespace {
using namespace std::chrono_literals;
constexpr Duration duplicate_life = 30s, answer_life = 60s, way_life = 30s;
constexpr std::size_t ways_max = 32;
constexpr std::size_t duplicates_max = 64, answers_max = 4;
}  // namespace

bool DuplicateCache::admit(std::uint16_t source, std::uint16_t sequence, std::uint8_t kind, Instant now) {
    while (!rows_.empty() && now - rows_.front().at > duplicate_life) rows_.pop_front();
    for (const auto& row : rows_)
        if (row.source == source && row.sequence == sequence && row.kind == kind) return false;
    if (rows_.size() == duplicates_max) rows_.pop_front();
    rows_.push_back({source, sequence, kind, now});
    return true;
}

void WayBack::passed(std::uint16_t target, std::uint16_t sequence, std::uint16_t from, Instant now) {
    if (rows_.size() == ways_max) rows_.pop_back();
    rows_.push_front({target, sequence, from, now});
}

std::optional<std::uint16_t> WayBack::find(std::uint16_t target, std::uint16_t sequence, Instant now) const {
    for (const auto& row : rows_)
        if (row.target == target && row.sequence == sequence && now - row.at <= way_life) return row.from;
    return std::nullopt;
}

AnswerCache::Row* AnswerCache::find(std::uint16_t sequence, Bytes request, Instant now) {
    std::erase_if(rows_, [&](const Row& row) { return now - row.at > answer_life; });
    const auto digest = crc16(request);
    const auto row = std::find_if(rows_.begin(), rows_.end(),
                                  [&](const Row& r) { return r.sequence == sequence && r.digest == digest; });
    return row == rows_.end() ? nullptr : &*row;
}

AnswerCache::Row* AnswerCache::find_open(std::uint16_t sequence) {
    // from the newest: an older one with the same sequence belongs to a root that has forgotten it
    const auto row = std::find_if(rows_.rbegin(), rows_.rend(),
                                  [&](const Row& r) { return r.sequence == sequence && !r.answer; });
    return row == rows_.rend() ? nullptr : &*row;
}

AnswerCache::Row& AnswerCache::open(std::uint16_t sequence, Bytes request, Instant now) {
    if (rows_.size() == answers_max) rows_.erase(rows_.begin());
    Row row;
    row.sequence = sequence;
    row.digest = crc16(request);
    row.at = now;
    return rows_.emplace_back(std::move(row));
}

}  // namespace wattmesh::mesh
