#pragma once
#include <deque>
#include <map>
#include <optional>

#include "concentrator/reading/trusted_clock.h"
#include "concentrator/uplink/action.h"
#include "protocol/link/tunnel_line.h"

namespace wattmesh::concentrator {

struct MachineCounts {
    std::uint64_t opened = 0, refused = 0, octets_up = 0, octets_down = 0;
    std::uint64_t stray = 0;  ///< messages of no tunnel, and frames that were damaged
};

/// Vending machines at this concentrator, sans-IO: each line carries one tunnel at a time to the head-end,
/// which connects it to vending. What goes through is the machine's own TLS connection, and nothing else is
/// let through. On TCP the first octet tells whether a machine speaks tunnel messages or begins TLS at once;
/// a serial line carries messages.
class Machines {
public:
    static constexpr std::size_t tunnels_max = 8;  ///< at once; a browser makes six connections
    static constexpr Duration answer_timeout = std::chrono::seconds{60};
    /// A line of TCP without a tunnel is closed.
    static constexpr Duration silence_max = std::chrono::seconds{60};

    /// `stays`: a serial line, which nobody closes.
    void opened(MachineLine line, bool stays, const Now& now);
    void received(MachineLine line, Bytes octets, const Now& now);
    void closed(MachineLine line);
    /// Logged in at the head-end, or not any more: then every tunnel ends.
    void set_uplink(bool up, const Now& now);
    /// A payload of the head-end's tunnel client.
    void answered(Bytes payload, const Now& now);
    void tick(const Now& now);

    /// Payloads for the head-end's tunnel client.
    std::optional<Buffer> take_payload();
    std::optional<Action> take_action();
    Instant next_deadline() const;  ///< steady
    const MachineCounts& counts() const { return counts_; }

private:
    enum class Speech : std::uint8_t { unknown, messages, tls };
    struct Tunnel {
        std::uint16_t on_line = 0;  ///< the machine's name for it
        Instant asked{};
        bool open = false;
        std::uint32_t allowed = 0;             ///< octets that the machine may send
        std::optional<link::TunnelEnd> end{};  ///< ours, for a machine that speaks TLS only
    };
    struct Line {
        Speech speech = Speech::unknown;
        bool stays = false, paused = false;
        Instant idle_since{};
        link::TunnelLineDecoder decoder{};
        std::optional<std::uint16_t> tunnel{};  ///< our name for it
    };
    using Lines = std::map<MachineLine, Line>;

    void on(MachineLine id, Line& line, link::TunnelMessage message, const Now& now);
    bool ask(MachineLine id, Line& line, const link::TunnelOpen& open, const Now& now);
    void from_tls(MachineLine id, Line& line, Bytes octets, const Now& now);
    void to_tls(MachineLine id, Line& line, Tunnel& tunnel, const link::TunnelMessage& message,
                const Now& now);
    bool lets_through(const Tunnel& tunnel, const link::TunnelData& data) const;
    void send_waiting(MachineLine id, Line& line, Tunnel& tunnel);
    std::optional<link::TunnelReason> objection() const;
    void refuse(MachineLine id, Line& line, std::uint16_t on_line, link::TunnelReason reason);
    void end(MachineLine id, Line& line, link::TunnelReason reason, const Now& now, bool tell_headend);
    void tell_machine(MachineLine id, Line& line, std::uint16_t on_line, link::TunnelReason reason);
    void up(const link::TunnelMessage& message);

    Lines lines_;
    std::map<std::uint16_t, std::pair<MachineLine, Tunnel>> tunnels_;  ///< by our name
    std::uint16_t newest_ = 0;
    bool uplink_ = false;
    std::optional<link::TunnelReason> told_;  ///< in the log, until a tunnel opens again
    std::deque<Buffer> payloads_;
    std::deque<Action> actions_;
    MachineCounts counts_;
};

}  // namespace wattmesh::concentrator
