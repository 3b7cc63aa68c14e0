#pragma once
#include <cstdint>
#include <deque>
#include <optional>
#include <utility>

#include "protocol/mesh/host_frame.h"
#include "protocol/mesh/medium_access.h"

namespace wattmesh::sim {

/// The concentrator's radio module: the MAC on one side, the host protocol on the other. Sans-IO like
/// mesh::Node.
class RadioModule final : public mesh::MacListener {
public:
    RadioModule(mesh::PhyRate rate, Ciphers& ciphers, Random& random, mesh::Transceiver& transceiver);

    /// Says by itself that it needs an INIT.
    void start(Instant now);
    void host_received(Bytes payload, Instant now);
    std::optional<Buffer> take();
    /// Something was added for the host since this was asked last.
    bool output_new() { return std::exchange(output_new_, false); }

    /// False: not for this radio, and nothing about it has changed.
    bool received_psdu(Bytes psdu, std::int8_t rssi_dbm, Instant now) {
        if (!mac_.concerns(psdu)) {
            mac_.overheard();
            return false;
        }
        mac_.received(psdu, rssi_dbm, now);
        return true;
    }
    void transmitted(Instant now) { mac_.transmitted(now); }
    void tick(Instant now) { mac_.tick(now); }
    Instant next_deadline() const { return mac_.next_deadline(); }
    const mesh::MacCounters& counters() const { return mac_.counters(); }

private:
    mesh::Acceptance received(const mesh::Arrival& arrival, Instant now) override;
    void sent(const mesh::Departure& departure, Instant now) override;
    void rival_beacon(const mesh::MacFrame& frame, std::int8_t rssi_dbm, Instant now) override;
    std::uint8_t hops() const override { return 0; }
    bool take_token(Instant now);
    void initialise(const mesh::host::Init& init);
    void change_key(const mesh::host::Key& key);
    void note_counter();
    std::uint32_t counter_for(std::uint8_t key, const Key128& net_key, std::uint32_t start);
    void transmit(mesh::host::Tx tx, Instant now);
    void report(const mesh::host::Message& message) {
        to_host_.push_back(mesh::host::encode(message));
        output_new_ = true;
    }
    mesh::host::Status status() const;

    mesh::MediumAccess mac_;
    bool initialised_ = false;
    struct Used {
        std::optional<Key128> net_key;
        std::uint32_t counter = 1;
    };
    std::array<Used, 2> used_;  ///< by key id: what was sent under it since power-on
    std::uint32_t malformed_ = 0;
    std::int64_t stranger_tokens_q10_ = 0;
    Instant stranger_tokens_at_{};
    std::deque<Buffer> to_host_;
    bool output_new_ = false;
};

}  // namespace wattmesh::sim
