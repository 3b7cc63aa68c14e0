#pragma once
#include <memory>
#include <string>

#include "platform/connector.h"
#include "terminal-sim/device/terminal.h"

namespace wattmesh::sim {

/// A terminal's modem: calls in, logs in, beats, and passes on what the terminal says. Three heartbeats
/// without an answer and it hangs up and calls again.
class TerminalCall {
public:
    struct Settings {
        std::string host;
        std::uint16_t port = 0;
        Duration beat_every = std::chrono::minutes{5};
        Duration turnaround = std::chrono::milliseconds{200};  ///< simulated
        Duration event_every{};                                ///< a reported event now and again; 0: none
    };
    struct Counters {
        std::uint64_t calls = 0, beats = 0, confirmed = 0, denied = 0, requests = 0, answers = 0, reports = 0;
    };
    /// `terminal` outlives it.
    TerminalCall(platform::Loop& loop, Random& random, Settings settings, Terminal& terminal);
    const Counters& counters() const { return counters_; }

private:
    void open();
    void beat();
    void report();
    void receive(Bytes octets);
    void send(const gdw376::Frame& frame);
    std::uint8_t next_sequence() { return sequence_ = (sequence_ + 1) & 0x0F; }

    platform::Loop& loop_;
    Settings settings_;
    Terminal& terminal_;
    Counters counters_;
    gdw376::Decoder decoder_;
    std::uint8_t sequence_ = 0;
    int unanswered_ = 0;
    platform::Timer beat_timer_, event_timer_, answer_timer_;
    std::vector<gdw376::Frame> waiting_;
    platform::Connector connector_;
};

}  // namespace wattmesh::sim
