#pragma once
#include <functional>
#include <map>

#include "protocol/collector/collector.h"
#include "terminal-sim/field/wire.h"

namespace wattmesh::sim {

/// A collector of the field: the real core (protocol/collector) between a node of the radio field and a wire.
class CollectorBox {
public:
    using Reply = std::function<void(Buffer)>;
    /// `state` is what it keeps over power cuts. `ciphers` and `random` outlive it.
    CollectorBox(Bytes state, Ciphers& ciphers, Random& random);

    Wire& wire() { return wire_; }
    const Wire& wire() const { return wire_; }
    const collector::Collector* core() const { return core_.get(); }  ///< nullptr: without power
    const Buffer& state() const { return state_; }

    void power_on(Instant now);
    void power_off();
    /// From the mesh; `reply` is called at most once, during a step.
    void request(Bytes payload, Instant now, Reply reply);
    /// What it says unasked.
    std::optional<Buffer> take_notice();
    Instant next_event() const;
    /// Does what is due at `now`.
    void step(Instant now);

private:
    void pump(Instant now);

    Ciphers& ciphers_;
    Random& random_;
    Buffer state_;
    Wire wire_;
    std::unique_ptr<collector::Collector> core_;
    std::map<std::uint16_t, Reply> replies_;  ///< by ticket; the newest few
    std::uint16_t ticket_ = 0;
};

}  // namespace wattmesh::sim
