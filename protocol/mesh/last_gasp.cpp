#include "protocol/mesh/last_gasp.h"

#include <algorithm>
#include <cassert>

#include "protocol/base/reader.h"
#include "protocol/base/writer.h"
#include "protocol/mesh/frame.h"

namespace wattmesh::mesh {
namespace {

using namespace std::chrono_literals;
// The first word within three seconds, so that a street has room for all; the last one with time to spare.
constexpr Duration first_within = 5500ms, again_after = 1500ms, again_within = 1500ms, last_after = 7000ms,
                   last_within = 2800ms;
// Others' names are collected for so long before they are passed on.
constexpr Duration collect = 1s, collect_within = 1500ms;
constexpr std::size_t rows_max = 1'024;

Duration within(Duration span, std::uint32_t chance) { return Duration{chance % span.count()}; }

}  // namespace

Buffer encode(const DarkList& list) {
    assert(list.dark.size() <= dark_list_max);
    Writer out;
    out.u8(list.hops).u16(list.parent).u8(static_cast<std::uint8_t>(list.dark.size()));
    for (const auto address : list.dark) out.u16(address);
    return out.take();
}

Result<DarkList> decode_dark_list(Bytes body) {
    Reader in{body};
    DarkList list;
    list.hops = in.u8();
    list.parent = in.u16();
    const std::size_t count = in.u8();
    if (count > dark_list_max) in.fail(Fault::too_long);
    for (std::size_t i = 0; i < count && in.ok(); ++i) list.dark.push_back(in.u16());
    in.expect_end();
    if (in.error()) return *in.error();
    return list;
}

Buffer encode(const DarkKnown& known) {
    Writer out;
    const std::uint16_t first = known.dark.empty() ? std::uint16_t{0} : known.dark.front();
    const std::size_t span = known.dark.empty() ? 0U : known.dark.back() - first + 1U;
    assert(span <= dark_known_span);
    Buffer bits((span + 7) / 8, 0);
    for (const auto address : known.dark) {
        const auto at = static_cast<std::size_t>(address - first);
        bits[at / 8] = static_cast<std::uint8_t>(bits[at / 8] | 0x80U >> at % 8);
    }
    out.u16(first).bytes(bits);
    return out.take();
}

Result<DarkKnown> decode_dark_known(Bytes body) {
    Reader in{body};
    const auto first = in.u16();
    const Bytes bits = in.rest();
    if (bits.size() > dark_known_span / 8U) in.fail(Fault::too_long);
    // One way to write a set: it begins with its first member and ends with the octet of its last.
    const bool tight = bits.empty() ? first == 0 : (bits[0] & 0x80) != 0 && bits.back() != 0;
    if (!tight) in.fail(Fault::bad_value);
    if (in.error()) return *in.error();
    DarkKnown known;
    for (std::size_t at = 0; at < bits.size() * 8; ++at)
        if ((bits[at / 8] & 0x80U >> at % 8) != 0)
            known.dark.push_back(
                static_cast<std::uint16_t>(std::min<std::size_t>(first + at, broadcast_address)));
    if (!known.dark.empty() && known.dark.back() > short_address_max) return Error{Fault::bad_value, 0};
    return known;
}

void LastGasp::begin(std::uint16_t own, std::uint8_t hops, std::uint16_t parent, Instant now,
                     std::uint32_t chance) {
    own_ = own;
    hops_ = hops;
    parent_ = parent;
    frames_left_ = frames_max;
    rows_ = {{own, Progress::open}};
    next_at_ = now + within(first_within, chance);
    last_at_ = now + last_after + within(last_within, chance / 7);
}

void LastGasp::end() {
    frames_left_ = -1;
    next_at_ = last_at_ = never;
    rows_.clear();
}

LastGasp::Row* LastGasp::find(std::uint16_t address) {
    const auto row =
        std::find_if(rows_.begin(), rows_.end(), [&](const Row& r) { return r.address == address; });
    return row == rows_.end() ? nullptr : &*row;
}

void LastGasp::heard(const DarkList& list, Instant now, std::uint32_t chance) {
    if (frames_left_ <= 0) return;
    bool news = false;
    for (const auto address : list.dark) {
        Row* row = find(address);
        if (row == nullptr) {
            if (rows_.size() >= rows_max) continue;
            rows_.push_back({address, Progress::done});
            row = &rows_.back();
            // Whoever is farther away than we are needs us; the others are on a way of their own.
            if (list.hops > hops_) row->progress = Progress::open;
        } else if (list.hops < hops_) {
            row->progress = Progress::done;
        } else if (list.hops == hops_ && row->progress == Progress::open && address != own_) {
            row->progress = Progress::carried;
        }
        news = news || (row->progress == Progress::open && address != own_);
    }
    // The last frame keeps its time; before it there is one to pass on what was heard.
    if (news && frames_left_ == 2)
        next_at_ = std::min(next_at_, now + collect + within(collect_within, chance));
}

void LastGasp::known(const DarkKnown& known) {
    for (auto& row : rows_)
        if (std::binary_search(known.dark.begin(), known.dark.end(), row.address))
            row.progress = Progress::done;
}

std::optional<DarkList> LastGasp::take(Instant now, std::uint32_t chance) {
    if (frames_left_ <= 0 || now < next_at_) return std::nullopt;
    const bool first = frames_left_ == frames_max, last = now >= last_at_;
    DarkList list{.hops = hops_, .parent = parent_, .dark = {}};
    for (const auto& row : rows_)
        if ((row.progress == Progress::open || (last && row.progress == Progress::carried)) &&
            list.dark.size() < dark_list_max)
            list.dark.push_back(row.address);
    if (first) next_at_ = std::min(now + again_after + within(again_within, chance), last_at_);
    // Nothing to say costs nothing: the frame is kept for what may still be heard.
    if (!first) next_at_ = last ? never : last_at_;
    if (list.dark.empty()) return std::nullopt;
    --frames_left_;
    return list;
}

}  // namespace wattmesh::mesh
