#pragma once
#include <functional>
#include <map>

#include "headend/frontend/core.h"
#include "tests/fleet/chance.h"
#include "tests/fleet/timeline.h"

namespace wattmesh::fleet {

using headend::frontend::LinkId;

/// The TCP connections between concentrators and front-ends: octets arrive late, in order, cut anywhere; a
/// connection may break at both ends, or silently at one.
class Wires {
public:
    struct Ends {
        std::function<void(std::size_t site, Bytes)> to_site;
        std::function<void(std::size_t site)> site_closed;
        std::function<void(std::size_t head, LinkId, Bytes)> to_head;
        std::function<void(std::size_t head, LinkId)> head_closed;
    };
    Wires(Timeline& timeline, Chance& chance, Ends ends)
        : timeline_(timeline), chance_(chance), ends_(std::move(ends)) {}

    /// A new connection; the old one of this site, if any, is forgotten by the site (the head may still hold
    /// it).
    LinkId open(std::size_t site, std::size_t head);
    void send_from_site(std::size_t site, Buffer bytes);
    void send_from_head(LinkId link, Buffer bytes);
    /// The site closes its end; the head hears of it later.
    void close_from_site(std::size_t site);
    void close_from_head(LinkId link);
    /// The network breaks this site's connection. `silent`: neither end is told; octets vanish from now on.
    bool cut(std::size_t site, bool silent);
    /// The process at one end died: the other end hears of it.
    void site_died(std::size_t site);
    void head_died(std::size_t head);

    std::uint64_t octets() const { return octets_; }

private:
    struct Wire {
        std::size_t site = 0, head = 0;
        bool site_holds = true, head_holds = true, broken = false;
        Instant site_hears{}, head_hears{};  ///< when the last octets under way arrive
    };
    void deliver(LinkId link, bool to_head, Buffer bytes);
    void tell_head(LinkId link);
    void tell_site(LinkId link);
    void forget_finished(LinkId link);
    Duration latency() { return chance_.between(Duration{8'000}, Duration{350'000}); }

    Timeline& timeline_;
    Chance& chance_;
    Ends ends_;
    std::map<LinkId, Wire> wires_;
    std::uint64_t opened_ = 0, octets_ = 0;
};

}  // namespace wattmesh::fleet
