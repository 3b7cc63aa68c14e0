#pragma once
#include <memory>
#include <optional>

#include "headend/frontend/tap.h"
#include "headend/trace/ring.h"

namespace wattmesh::headend {

/// Puts what one core's links carry into the ring, secrets blanked.
class LinkTap : public frontend::Tap {
public:
    /// `ring` outlives it. Links of a process are told apart by `first`: its core's numbers are added to it.
    LinkTap(trace::Ring& ring, std::uint64_t first) : ring_(ring), first_(first) {}

    void opened(const frontend::TappedLink& link, const std::string& who, Instant now) override;
    void received(const frontend::TappedLink& link, Bytes octets, Instant now) override;
    void sent(const frontend::TappedLink& link, Bytes octets, Instant now) override;
    void closed(const frontend::TappedLink& link, const std::string& reason, Instant now) override;

private:
    void push(trace::Record::Kind kind, const frontend::TappedLink& link, std::size_t size, Buffer content,
              Instant now);

    trace::Ring& ring_;
    const std::uint64_t first_;
};

/// The ring of a front-end process, and who listens in on its cores. They let go of it before it ends.
struct LinkTrace {
    LinkTrace(const trace::RingSettings& settings, const std::string& process)
        : ring(settings, process), uplinks(ring, 0), callers(ring, first_caller) {}
    /// Null when nothing is to be kept.
    static std::unique_ptr<LinkTrace> wanted(const std::optional<trace::RingSettings>& settings, Instant now);

    static constexpr std::uint64_t first_caller = std::uint64_t{1} << 62U;
    trace::Ring ring;
    LinkTap uplinks, callers;
};

}  // namespace wattmesh::headend
