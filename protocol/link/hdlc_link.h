#pragma once
#include <cstdint>
#include <deque>
#include <optional>

#include "protocol/link/hdlc.h"
#include "protocol/link/hdlc_parameters.h"
#include "protocol/link/hdlc_push.h"
#include "protocol/link/hdlc_window.h"

namespace wattmesh::link {

/// Counted, never silent: what a link refused and what it had to do twice.
struct HdlcLinkCounters {
    std::uint64_t refused_frames =
        0;  ///< noise, wrong checksum, wrong LLC header, unknown or misplaced control
    std::uint64_t foreign_frames = 0;          ///< of or for another station
    std::uint64_t out_of_sequence = 0;         ///< I frames after one that is missing
    std::uint64_t repeated = 0;                ///< I frames that were here before
    std::uint64_t retransmitted = 0;           ///< I frames of ours that went out again
    std::uint64_t wrong_acknowledgements = 0;  ///< N(R) of what was never sent
    std::uint64_t wrong_parameters = 0;  ///< SNRM or UA whose parameters do not decode: defaults were taken
    std::uint64_t oversized = 0;         ///< APDUs or information fields beyond the bound
    std::uint64_t overflowed = 0;        ///< frames, APDUs and pushes for which there was no room, in and out
    std::uint64_t rejected = 0;          ///< REJ and FRMR of the peer
    std::uint64_t given_up = 0;          ///< links closed because nothing came through any more
};

/// One HDLC data link of DLMS (IEC 62056-46, normal response mode) as sans-IO state, either end of it.
///
///   Closed --open()/SNRM--> Opening --UA--> Open --close()/DISC--> Closing --UA|DM--> Closed      (client)
///   Closed --SNRM/UA--> Open --DISC/UA--> Closed                                                  (server)
///
/// An APDU travels as a chain of I frames, as many unacknowledged as the agreed window allows; only the last
/// one of a turn polls. Peers that poll with every frame are understood. What the peer's N(R) shows to be
/// lost goes out again, starting there; what nobody hears of, the client's owner brings back by `repeat`. LLC
/// header E6 E6 00 / E6 E7 00 is added and removed here.
///
/// The owner keeps the timers: when nothing came for too long a client calls `repeat`, a server `reset`
/// (inactivity) or, in the middle of a frame, `drop_partial`. After `feed` it takes the APDUs, sends what it
/// has to say, and then takes the output: an answer that is ready by then saves a frame of acknowledgement.
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
        /// Longest information field that is taken although less was agreed: some meters count differently.
        std::uint16_t information_accept_max = hdlc_information_size_max;
        std::uint8_t window_send_max = 1, window_receive_max = 1;  ///< frames, 1..7; the peer may lower them
        std::size_t apdu_size_max = 65'536;                        ///< either way
        std::size_t apdus_waiting_max = 64;   ///< received, not taken; then the peer hears RNR
        std::size_t sends_waiting_max = 64;   ///< given to send_apdu, not begun
        std::size_t pushes_waiting_max = 16;  ///< UI, received, not taken
        bool take_unconnected = false;        ///< I frames while closed are pushes (see HdlcPushAssembler)
        unsigned repeats_max = 3;             ///< in a row without progress; then the link is given up
    };

    explicit HdlcLink(Config config);

    void open();   ///< client: SNRM
    void close();  ///< client: DISC; server: forgets the link
    void feed(Bytes bytes);
    /// Sends one APDU; while another is on its way, or the link is not open, it waits in order. False, and
    /// counted, when it is longer than the bound or too many wait.
    bool send_apdu(Bytes apdu);
    /// Sends one APDU in UI frames, at once and whatever the state: from a server a push, from a client to
    /// all stations a broadcast. Nobody acknowledges it. False when it is longer than the bound.
    bool send_ui(Bytes apdu, const HdlcAddress& destination);
    /// Client: the timer ran out. The last frame goes out once more, or the server is asked whether it has
    /// something to say (RR). False when `repeats_max` was reached: the link is closed then.
    bool repeat();
    /// RR when it is our turn. Client: more is expected (blocks that stream, an answer that took long).
    /// Server: there is no answer to what was taken (an unconfirmed service, a block of many), the client may
    /// go on.
    void poll() { owed_ = true; }
    /// The frame that has begun will not come to its end: its octets are dropped.
    void drop_partial() { decoder_.reset(); }
    /// The line below broke: back to Closed, everything open is forgotten.
    void reset();

    /// The next frame to send.
    std::optional<Buffer> take_output();
    std::optional<Buffer> take_apdu();
    std::optional<HdlcPush> take_push();

    State state() const { return state_; }
    /// Where frames go; a server's `peer().upper` is the client's SAP of the last SNRM.
    const HdlcAddress& peer() const { return peer_; }
    /// What was agreed, seen from here; before that, what we offer.
    const HdlcParameters& agreed() const { return agreed_; }
    /// How often a link was set up; a change tells a server's owner that the associations of the old link are
    /// gone.
    std::uint64_t established() const { return established_; }
    bool partial() const { return decoder_.partial(); }
    HdlcLinkCounters counters() const;

private:
    bool client() const { return config_.role == Role::client; }
    HdlcParameters offer() const;
    void agree(Bytes information);
    void clear_traffic();
    void send(std::uint8_t control, Buffer information = {}, bool segmented = false);

    // hdlc_link.cpp: frames without numbers
    void on_frame(const HdlcFrame& frame);
    bool on_outside(const HdlcFrame& frame);
    bool for_us(const HdlcFrame& frame) const;
    void on_snrm(const HdlcFrame& frame);
    void on_ua(const HdlcFrame& frame);
    void on_closed_by_peer();

    // hdlc_link_traffic.cpp: frames with numbers
    void on_numbered(const HdlcFrame& frame);
    bool on_information(const HdlcFrame& frame);
    void on_polled(const HdlcFrame& frame, bool accepted);
    void on_final(const HdlcFrame& frame, bool accepted);
    bool gap_certain(unsigned number) const;
    bool busy() const { return apdus_.size() >= config_.apdus_waiting_max; }
    void accept_part(const HdlcFrame& frame);
    void speak();
    void fill_window();

    Config config_;
    State state_ = State::closed;
    HdlcAddress own_, peer_;
    HdlcParameters agreed_;
    HdlcDecoder decoder_;
    HdlcPushAssembler assembler_;
    HdlcLinkCounters counters_;
    std::uint64_t established_ = 0;
    unsigned repeats_ = 0;  ///< since the last progress
    std::deque<Buffer> output_, apdus_, waiting_;
    std::deque<HdlcPush> pushes_;

    Buffer sending_;  ///< LLC + APDU, cut into parts from `sending_at_` on
    std::size_t sending_at_ = 0;
    HdlcSendWindow window_;
    Buffer receiving_;            ///< LLC + APDU, so far
    bool discarding_ = false;     ///< the rest of this APDU, it was too long
    unsigned receive_state_ = 0;  ///< V(R), modulo 8
    bool turn_ = true;            ///< we may send (a server may after a frame with P)
    bool owed_ = false;           ///< the peer must hear of V(R) even if we have nothing to say
    bool peer_busy_ = false;      ///< RNR
    bool checkpoint_ = false;     ///< client: the next F tells all, `repeat` asked for it
    bool gap_told_ = false;       ///< client: the peer knows what is missing at this V(R)
    bool accepted_ = false;       ///< client: an I frame came in sequence since our last P
    bool acknowledged_ = false;   ///< client: N(R) went on since our last P
};

}  // namespace wattmesh::link
