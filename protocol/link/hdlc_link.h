#pragma once
#include <cstdint>
#include <deque>
#include <optional>

#include "protocol/link/hdlc.h"

namespace wattmesh::link {

/// Counted, never silent: what a link refused.
struct HdlcLinkCounters {
    std::uint64_t refused_frames = 0, foreign_frames = 0, out_of_sequence = 0, repeated = 0, oversized = 0;
};

/// One HDLC data link of DLMS (IEC 62056-46, normal response mode, window 1) as sans-IO state, either end of
/// it.
///
///   Closed --open()/SNRM--> Opening --UA--> Open --close()/DISC--> Closing --UA|DM--> Closed      (client)
///   Closed --SNRM/UA--> Open --DISC/UA--> Closed                                                  (server)
///
/// APDUs longer than the peer's information field travel in segments, each acknowledged by RR. LLC header E6
/// E6 00 / E6 E7 00 is added and removed here. The owner keeps the timer: when nothing came for too long a
/// client calls `repeat`.
class HdlcLink {
public:
    enum class Role : std::uint8_t { client, server };
    enum class State : std::uint8_t { closed, opening, open, closing };
    struct Config {
        Role role = Role::client;
        HdlcAddress own{};   ///< server: `lower` unset answers at any physical address
        HdlcAddress peer{};  ///< client only; a server learns it from the SNRM
        std::uint16_t information_send_max = 128,
                      information_receive_max = 128;  ///< octets; the peer may lower them
        std::size_t apdu_size_max = 65'536;
    };

    explicit HdlcLink(Config config);

    void open();   ///< client: SNRM
    void close();  ///< client: DISC; server: forgets the link
    void feed(Bytes bytes);
    /// Sends one APDU; while another is on its way, or the link is not open, it waits in order.
    void send_apdu(Bytes apdu);
    /// Client: the timer ran out, the last frame is sent once more. The owner gives up after its own count of
    /// tries and calls `reset`.
    void repeat();
    /// The line below broke: back to Closed, everything open is forgotten.
    void reset();

    std::optional<Buffer> take_output();
    std::optional<Buffer> take_apdu();

    State state() const { return state_; }
    /// Where frames go; a server's `peer().upper` is the client's SAP of the last SNRM.
    const HdlcAddress& peer() const { return peer_; }
    /// How often a link was set up; a change tells a server's owner that the associations of the old link are
    /// gone.
    std::uint64_t established() const { return established_; }
    bool partial() const { return decoder_.partial(); }
    HdlcLinkCounters counters() const;

private:
    void on_frame(const HdlcFrame& frame);
    bool for_us(const HdlcFrame& frame) const;
    void on_snrm(const HdlcFrame& frame);
    void on_ua(const HdlcFrame& frame);
    void on_closed_by_peer(const HdlcFrame& frame);
    void on_information(const HdlcFrame& frame);
    void on_acknowledged(unsigned receive_number);
    void accept_part(const HdlcFrame& frame);
    void send_next_part();
    void send(std::uint8_t control, Buffer information = {}, bool segmented = false);
    void clear_traffic();
    Buffer parameters() const;
    void adopt_parameters(Bytes information);

    Config config_;
    State state_ = State::closed;
    HdlcAddress own_, peer_;
    std::size_t send_max_, receive_max_;
    HdlcDecoder decoder_;
    HdlcLinkCounters counters_;
    std::uint64_t established_ = 0;
    std::deque<Buffer> output_, apdus_, waiting_;
    Buffer last_sent_;                             ///< the frame `repeat` sends
    unsigned send_state_ = 0, receive_state_ = 0;  ///< V(S), V(R), modulo 8
    bool unacknowledged_ = false;                  ///< an I-frame of ours is out
    bool turn_ = true;  ///< we may send an I-frame (a server may after a frame with P)
    Buffer sending_;    ///< LLC + APDU, rest that is not sent yet
    Buffer receiving_;  ///< LLC + APDU, so far
};

}  // namespace wattmesh::link
