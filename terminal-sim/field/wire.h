#pragma once
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <vector>

#include "protocol/dlms/server.h"
#include "protocol/link/hdlc_link.h"

namespace wattmesh::sim {

/// An RS-485 pair with meters on it, in discrete events: half duplex, octets take their time, two who speak
/// at once damage each other's octets. One end is the collector, which speaks by send() and hears by `heard`.
class Wire {
public:
    struct Settings {
        std::int32_t baud = 9'600;    ///< 8N1
        Duration turnaround{20'000};  ///< from the last octet of a question to the first of the answer
    };
    struct Counters {
        std::uint64_t turns = 0, collisions = 0, octets = 0;
    };
    Wire(const Settings& settings, std::function<void(Bytes, Instant)> heard);

    /// A meter with a physical HDLC address that nobody else has here; `server` lives on beside it.
    void plug(std::size_t meter, std::shared_ptr<dlms::Server> server);
    /// As plug(), with this address.
    void plug_at(std::uint16_t address, std::size_t meter, std::shared_ptr<dlms::Server> server);
    bool unplug(std::size_t meter);
    bool holds(std::size_t meter) const;
    /// Nothing comes from the meter any more, but its address stays taken.
    void mute(std::size_t meter, bool on);
    std::vector<std::size_t> meters() const;

    void send(Buffer octets, Instant now);
    Instant next_event() const;
    /// Does what is due at `now`; not later than next_event().
    void step(Instant now);
    const Counters& counters() const { return counters_; }

    static constexpr std::uint16_t address_first = 16, address_last = 125;

private:
    struct Meter {
        std::size_t index = 0;
        std::shared_ptr<dlms::Server> server;
        link::HdlcLink link;
        std::uint64_t established = 0;
        Sap client;
        bool mute = false;
    };
    /// Somebody speaks from `begin` to `end`; address 0: the collector.
    struct Turn {
        std::uint16_t from = 0;
        Buffer octets;
        Instant begin{}, end{};
        bool damaged = false, begun = false;
    };
    void say(std::uint16_t from, Buffer octets, Instant begin);
    void begin(Turn& turn);
    void deliver(const Turn& turn);
    void ask(std::uint16_t address, Meter& meter, Bytes octets, Instant now);

    Settings settings_;
    std::function<void(Bytes, Instant)> heard_;
    std::map<std::uint16_t, Meter> meters_;
    std::vector<Turn> turns_;
    Counters counters_;
};

}  // namespace wattmesh::sim
