#pragma once
#include <optional>

#include "protocol/mesh/node.h"
#include "terminal-sim/radio/radio_program.h"

namespace wattmesh::bench {

/// An insider: a real meter with the net key whose radio says in every beacon how near to the root it wants
/// to be, and that acknowledges every second packet of others without passing it on.
class Liar final : public sim::RadioProgram, public mesh::Transceiver {
public:
    Liar(const mesh::NodeSettings& settings, const mesh::NodeState& state, Ciphers& ciphers, Random& random,
         mesh::Transceiver& radio, std::uint16_t rank_told);

    void start(Instant now) override;
    bool received(Bytes psdu, std::int8_t rssi_dbm, Instant now) override;
    void transmitted(Instant now) override;
    void tick(Instant now) override;
    Instant next_deadline() const override;
    std::size_t dropped() const { return dropped_; }

private:
    bool channel_busy() override { return radio_.channel_busy(); }
    void transmit(Buffer psdu, Duration lead) override;
    bool swallows(const mesh::MacFrame& frame);

    mesh::Transceiver& radio_;
    mesh::PhyRate rate_;
    std::uint16_t rank_told_;
    mesh::HopSecurity forging_;
    Instant now_{};
    Instant sent_at_ = never, answered_at_ = never;  // of the packet that was only pretended to be sent
    Buffer acknowledge_;
    std::size_t turns_ = 0, dropped_ = 0;
    mesh::Node node_;
};

}  // namespace wattmesh::bench
