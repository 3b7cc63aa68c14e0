#pragma once
#include <deque>
#include <utility>

#include "protocol/base/time.h"
#include "protocol/iec104/apci.h"

namespace wattmesh::iec104 {

enum class Side : std::uint8_t { controlled, controlling };

/// Source: IEC 60870-5-104 ed. 2, 9.6: defaults there.
struct LinkSettings {
    int k = 12;  ///< I frames sent and not acknowledged, at most
    int w = 8;   ///< I frames received, after which an acknowledgement goes out; below the peer's k
    Duration t1 = std::chrono::seconds{15};  ///< to an acknowledgement or confirmation
    Duration t2 = std::chrono::seconds{10};  ///< to our acknowledgement; below t1
    Duration t3 = std::chrono::seconds{20};  ///< silence before TESTFR
};

/// Why a connection must be closed.
enum class LinkFault : std::uint8_t {
    malformed,          ///< no frame of this protocol
    sequence,           ///< N(S) is not the next, or N(R) acknowledges what was not sent
    not_acknowledged,   ///< t1 without an acknowledgement or confirmation
    not_started,        ///< an I frame while data transfer is stopped
    unexpected_control  ///< a confirmation of what was not asked, or the wrong side's function
};
std::string_view to_string(LinkFault fault);

/// The link procedure of one TCP connection, either side. Octets and instants in, ASDUs and octets out; the
/// owner writes take() after every call, calls tick() at wake(), and closes the connection on a fault.
class Link {
public:
    Link(Side side, const LinkSettings& settings, Instant now);

    void feed(Bytes octets) { decoder_.feed(octets); }
    /// The next ASDU received; handles the frames before it. Its view holds until feed().
    std::optional<Bytes> next(Instant now);
    /// Whether send() is allowed: started, in the window, no fault.
    bool ready() const { return transfer_ == Transfer::started && !fault_ && unacknowledged() < settings_.k; }
    void send(Bytes asdu, Instant now);
    /// Octets to write, in order.
    Buffer take() { return std::exchange(out_, {}); }

    Instant wake() const;
    void tick(Instant now);

    /// Controlling side: asks for data transfer to start or stop.
    void start(Instant now);
    void stop(Instant now);
    /// Controlled side: another connection of the redundancy group has taken over; nothing is sent.
    void suspend();

    /// The owner will not bear more of this peer.
    void abandon(LinkFault fault) { fail(fault); }

    bool started() const { return transfer_ == Transfer::started; }
    /// Neither started nor on the way: what was sent will not be acknowledged any more.
    bool stopped() const { return transfer_ == Transfer::stopped; }
    int unacknowledged() const { return static_cast<int>(sent_at_.size()); }
    /// How many of our I frames the peer has acknowledged in all.
    std::uint64_t acknowledged() const { return acknowledged_total_; }
    std::optional<LinkFault> fault() const { return fault_; }

private:
    enum class Transfer : std::uint8_t { stopped, starting, started, stopping };

    std::optional<Bytes> on_information(const Frame& frame, Instant now);
    void on_acknowledgement(std::uint16_t received);
    void on_unnumbered(Unnumbered function);
    void on_activate(Unnumbered function);
    void acknowledge();
    void confirm_stop();
    void ask(Unnumbered function, Instant now);
    void fail(LinkFault fault) {
        if (!fault_) fault_ = fault;
    }

    Side side_;
    LinkSettings settings_;
    FrameDecoder decoder_;
    Buffer out_;
    Transfer transfer_ = Transfer::stopped;
    std::uint16_t sent_ = 0, received_ = 0;  ///< next N(S) of ours, next N(S) expected
    std::deque<Instant> sent_at_;            ///< of the I frames that wait for acknowledgement
    std::uint64_t acknowledged_total_ = 0;
    int owed_ = 0;  ///< I frames received and not acknowledged
    Instant owed_since_ = never, heard_at_;
    Instant asked_at_ = never;   ///< of a STARTDT or STOPDT of ours
    Instant tested_at_ = never;  ///< of a TESTFR of ours
    bool stop_wanted_ = false;   ///< controlled side: STOPDT con waits for acknowledgements
    std::optional<LinkFault> fault_;
};

}  // namespace wattmesh::iec104
