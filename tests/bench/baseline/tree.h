#pragma once
#include <set>

#include "tests/bench/baseline/station.h"

namespace wattmesh::bench {

/// A meter that hangs on one parent and has registered with the root: what minhop and rpl-lite share.
class TreeMeter : public RivalStation {
public:
    using RivalStation::RivalStation;

protected:
    static constexpr std::uint16_t nobody = mesh::broadcast_address;
    void hang_on(std::uint16_t parent);
    void let_go();
    /// Registers after about `delay`, and again until the root has answered.
    void register_after(Duration delay);
    std::optional<std::uint16_t> next_up(const mesh::UpPacket&) override {
        return parent_ == nobody ? std::nullopt : std::optional{parent_};
    }
    void arrived_down(mesh::FrameType type, const mesh::DownPacket&) override;
    /// Whoever sends up is farther than we are.
    bool may_pass_up(const mesh::UpPacket& packet) override {
        if (packet.rank > rank()) return true;
        went_in_a_circle();
        return false;
    }
    virtual void went_in_a_circle() {}
    std::uint16_t parent_ = nobody;

private:
    void try_to_register(std::uint64_t turn);
    std::uint64_t turn_ = 0;
    int tries_ = 0;
    bool known_ = false;
};

/// The root of such a tree: it knows everybody's parent, and routes down by it.
class TreeRoot : public RivalRoot {
public:
    using RivalRoot::RivalRoot;
    std::optional<std::vector<std::uint16_t>> route(std::uint16_t meter) const override;

protected:
    void registered(mesh::FrameType type, const mesh::UpPacket& packet, const Heard& heard) override;
    /// Of a registration; a route that is older is not used.
    virtual Duration lifetime() const { return Duration::max() / 4; }

private:
    struct Row {
        std::uint16_t parent = 0;
        Instant told{};
    };
    std::map<std::uint16_t, Row> rows_;
};

}  // namespace wattmesh::bench
