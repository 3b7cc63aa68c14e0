#include "tests/fleet/wires.h"

namespace wattmesh::fleet {

LinkId Wires::open(std::size_t site, std::size_t head) {
    const LinkId link{++opened_};
    wires_[link] = Wire{.site = site, .head = head};
    return link;
}

void Wires::deliver(LinkId link, bool to_head, Buffer bytes) {
    octets_ += bytes.size();
    // One write may arrive in up to three pieces.
    std::size_t from = 0;
    while (from < bytes.size()) {
        auto& wire = wires_.at(link);
        auto& hears = to_head ? wire.head_hears : wire.site_hears;
        hears = std::max(hears, timeline_.now() + latency());
        const auto left = static_cast<std::int64_t>(bytes.size() - from);
        const auto size = static_cast<std::size_t>(from == 0 && left > 1 ? chance_.within(1, left) : left);
        Buffer piece{bytes.begin() + static_cast<std::ptrdiff_t>(from),
                     bytes.begin() + static_cast<std::ptrdiff_t>(from + size)};
        timeline_.at(hears, [this, link, to_head, piece = std::move(piece)] {
            const auto found = wires_.find(link);
            if (found == wires_.end() || found->second.broken) return;
            const Wire at = found->second;
            if (to_head && at.head_holds) ends_.to_head(at.head, link, piece);
            if (!to_head && at.site_holds) ends_.to_site(at.site, piece);
        });
        from += size;
    }
}

void Wires::send_from_site(std::size_t site, Buffer bytes) {
    for (auto& [link, wire] : wires_)
        if (wire.site == site && wire.site_holds) return deliver(link, true, std::move(bytes));
}

void Wires::send_from_head(LinkId link, Buffer bytes) {
    const auto found = wires_.find(link);
    if (found != wires_.end() && found->second.head_holds) deliver(link, false, std::move(bytes));
}

void Wires::tell_head(LinkId link) {
    auto& wire = wires_.at(link);
    timeline_.at(std::max(wire.head_hears, timeline_.now() + latency()), [this, link] {
        const auto found = wires_.find(link);
        if (found == wires_.end() || !found->second.head_holds) return;
        found->second.head_holds = false;
        const auto head = found->second.head;
        forget_finished(link);
        ends_.head_closed(head, link);
    });
}

void Wires::tell_site(LinkId link) {
    auto& wire = wires_.at(link);
    timeline_.at(std::max(wire.site_hears, timeline_.now() + latency()), [this, link] {
        const auto found = wires_.find(link);
        if (found == wires_.end() || !found->second.site_holds) return;
        found->second.site_holds = false;
        const auto site = found->second.site;
        forget_finished(link);
        ends_.site_closed(site);
    });
}

void Wires::forget_finished(LinkId link) {
    const auto found = wires_.find(link);
    if (!found->second.site_holds && !found->second.head_holds) wires_.erase(found);
}

void Wires::close_from_site(std::size_t site) {
    for (auto& [link, wire] : wires_) {
        if (wire.site != site || !wire.site_holds) continue;
        wire.site_holds = false;
        if (!wire.broken) tell_head(link);
        return;
    }
}

void Wires::close_from_head(LinkId link) {
    const auto found = wires_.find(link);
    if (found == wires_.end() || !found->second.head_holds) return;
    found->second.head_holds = false;
    const auto head = found->second.head;
    if (!found->second.broken) tell_site(link);
    forget_finished(link);
    ends_.head_closed(head, link);
}

bool Wires::cut(std::size_t site, bool silent) {
    for (auto& [link, wire] : wires_) {
        if (wire.site != site || !wire.site_holds) continue;
        wire.broken = true;
        if (!silent) {
            tell_site(link);
            if (wire.head_holds) tell_head(link);
        }
        return true;
    }
    return false;
}

void Wires::site_died(std::size_t site) { close_from_site(site); }

void Wires::head_died(std::size_t head) {
    std::vector<LinkId> links;
    for (auto& [link, wire] : wires_)
        if (wire.head == head && wire.head_holds) links.push_back(link);
    for (const auto link : links) {
        auto& wire = wires_.at(link);
        wire.head_holds = false;
        if (wire.site_holds && !wire.broken) tell_site(link);
        forget_finished(link);
    }
}

}  // namespace wattmesh::fleet
