#include "tests/bench/mesh_watch.h"

#include <cstdio>

namespace wattmesh::bench {
namespace {

using mesh::FrameType;
constexpr std::size_t ways_max = 4'096;
constexpr Duration way_lifetime{60'000'000};

bool is_payload(FrameType type) { return type == FrameType::data_down || type == FrameType::data_up; }
bool is_control(FrameType type) {
    return !is_payload(type) && type != FrameType::image_block && type != FrameType::image_request;
}

}  // namespace

void Watch::frame(std::size_t station, Bytes psdu, Instant now) {
    const auto airtime = mesh::airtime(psdu.size(), rate_);
    if (mesh::is_ack(psdu)) {
        auto& share = profile_[static_cast<std::size_t>(FrameType::acknowledge)];
        ++share.frames;
        share.airtime += airtime;
        if (control_to_[address_of_[station]]) control_ += airtime;
        return;
    }
    const auto decoded = mesh::decode_mac(psdu);
    if (!decoded) return;
    const auto& frame = decoded->frame;
    address_of_[station] = frame.source;
    auto& share = profile_[static_cast<std::size_t>(frame.type)];
    ++share.frames;
    share.airtime += airtime;
    const auto mark = std::uint32_t{frame.destination} << 8 | frame.sequence;
    share.repeats += std::exchange(last_of_[station], mark) == mark ? 1 : 0;
    if (frame.destination != mesh::broadcast_address) control_to_[frame.destination] = is_control(frame.type);
    if (is_control(frame.type))
        control_ += airtime;
    else if (is_payload(frame.type))
        follow(frame, now);
}

std::string describe(const Watch::Profile& profile) {
    static constexpr std::array<const char*, mesh::frame_types> names{
        "",        "beacon",      "solicit",     "join_request", "join_accept", "link_report",   "data_down",
        "data_up", "route_error", "leave",       "last_gasp",    "dark_known",  "outage_report", "key_update",
        "notice",  "acknowledge", "image_block", "image_request"};
    std::string text;
    for (std::size_t i = 0; i < profile.size(); ++i) {
        const auto& share = profile[i];
        if (share.frames == 0) continue;
        std::array<char, 80> line{};
        std::snprintf(line.data(), line.size(), "  %s %llu+%llu %.1f s", names[i],
                      static_cast<unsigned long long>(share.frames - share.repeats),
                      static_cast<unsigned long long>(share.repeats),
                      static_cast<double>(share.airtime.count()) / 1e6);
        text += line.data();
    }
    return text;
}

void Watch::follow(const mesh::MacFrame& frame, Instant now) {
    mesh::NetworkHeader header;
    if (frame.type == FrameType::data_down) {
        const auto packet = mesh::decode_down(frame.body);
        if (!packet) return;
        header = packet->header;
    } else {
        const auto packet = mesh::decode_up(frame.body);
        if (!packet) return;
        header = packet->header;
    }
    if (ways_.size() > ways_max)
        std::erase_if(ways_, [&](const auto& way) { return now - way.second.last > way_lifetime; });
    const std::uint64_t key = std::uint64_t{frame.type == FrameType::data_up} << 56 |
                              std::uint64_t{header.attempt} << 48 | std::uint64_t{header.source} << 32 |
                              std::uint64_t{header.destination} << 16 | header.sequence;
    Way& way = ways_[key];
    if (now - way.last > way_lifetime) way = {};
    way.last = now;
    if (way.returned.erase(frame.source) > 0) ++loops_;
    way.senders.insert(frame.source);
    if (way.senders.contains(frame.destination)) way.returned.insert(frame.destination);
}

}  // namespace wattmesh::bench
