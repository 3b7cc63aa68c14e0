#include "headend/link_tap.h"

#include <Poco/Process.h>

#include <utility>

#include "headend/trace/mask.h"

namespace wattmesh::headend {

void LinkTap::push(trace::Record::Kind kind, const frontend::TappedLink& link, std::size_t size,
                   Buffer content, Instant now) {
    ring_.push({.kind = kind,
                .carries = link.carries,
                .link = first_ + link.link.value,
                .device = link.device,
                .at = now,
                .size = size,
                .content = std::move(content)});
}

void LinkTap::opened(const frontend::TappedLink& link, const std::string& who, Instant now) {
    push(trace::Record::Kind::opened, link, 0, to_buffer(as_bytes(who)), now);
}

/// Devices send no secret in plain: passwords go from us to them.
void LinkTap::received(const frontend::TappedLink& link, Bytes octets, Instant now) {
    push(trace::Record::Kind::received, link, octets.size(), to_buffer(octets), now);
}

void LinkTap::sent(const frontend::TappedLink& link, Bytes octets, Instant now) {
    push(trace::Record::Kind::sent, link, octets.size(), trace::masked(link.carries, octets), now);
}

void LinkTap::closed(const frontend::TappedLink& link, const std::string& reason, Instant now) {
    push(trace::Record::Kind::closed, link, 0, to_buffer(as_bytes(reason)), now);
}

std::unique_ptr<LinkTrace> LinkTrace::wanted(const std::optional<trace::RingSettings>& settings,
                                             Instant now) {
    if (!settings) return nullptr;
    return std::make_unique<LinkTrace>(
        *settings, std::to_string(epoch_us(now)) + "-" + std::to_string(Poco::Process::id()));
}

}  // namespace wattmesh::headend
