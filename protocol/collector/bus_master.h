#pragma once
#include <cstdint>
#include <map>
#include <memory>
#include <optional>

#include "protocol/base/cipher.h"
#include "protocol/base/id.h"
#include "protocol/base/time.h"
#include "protocol/link/hdlc_link.h"

namespace wattmesh::collector {

/// An RS-485 bus: half duplex, two octets of HDLC address (upper 1, lower the meter's physical address).
struct BusSettings {
    std::int32_t baud = 9'600;  ///< 8N1: ten bits an octet
    std::uint16_t address_first = 16,
                  address_last = 125;   ///< physical addresses that are looked at; both within 16 to 125
    Duration answer_max{500'000};       ///< from our last octet to the meter's first, and between its octets
    Duration call_answer_max{150'000};  ///< the same for the call of an address where nobody is known
};

/// What became of one errand.
struct BusOutcome {
    enum class Kind : std::uint8_t {
        answered,    ///< `apdu`
        identified,  ///< `meter`
        anonymous,   ///< somebody answers and cannot be asked for a number
        silent,      ///< nobody, or no more
    } kind{};
    Buffer apdu{};
    DeviceNumber meter{};
};
struct BusCounters {
    std::uint64_t calls = 0, links = 0, apdus = 0, silent = 0, repeats = 0;
};

/// Primary station of the bus, sans-IO: one errand at a time. A meter has one data link, to the client that
/// spoke last; it stays open from errand to errand, so that an association above it lives. APDUs are passed
/// on unopened. The identity is read as public client: logical device name 0-0:42.0.0, whose last twelve
/// characters are the device number.
class BusMaster {
public:
    /// `ciphers` and `random` are what a DLMS client asks for; the public client uses no key.
    BusMaster(const BusSettings& settings, Ciphers& ciphers, Random& random);
    ~BusMaster();

    bool busy() const { return errand_ != nullptr; }
    /// Only while not busy. `known`: silence is worth repeats.
    void identify(std::uint16_t address, bool known, Instant now);
    void relay(std::uint16_t address, Sap client, Buffer apdu, Instant now);
    /// Nobody is known at this address any more.
    void forget(std::uint16_t address) { sessions_.erase(address); }

    void received(Bytes octets, Instant now);
    void tick(Instant now);
    Instant next_deadline() const;
    /// Octets for the wire, of one turn.
    std::optional<Buffer> take_output();
    std::optional<BusOutcome> take_outcome();
    const BusCounters& counters() const { return counters_; }

private:
    struct Session {
        Sap client;
        link::HdlcLink link;
    };
    struct Errand;
    Session& session(std::uint16_t address, Sap client, bool known);
    void open(Instant now);
    void begin_link();
    void pump(Instant now);
    void identity_pump();
    void finish(BusOutcome outcome);
    void await(Duration answer_max, Instant now);

    BusSettings settings_;
    Ciphers& ciphers_;
    Random& random_;
    std::map<std::uint16_t, Session> sessions_;  ///< of physical addresses
    std::unique_ptr<Errand> errand_;
    Buffer output_;
    std::optional<BusOutcome> outcome_;
    BusCounters counters_;
};

/// The number at the end of a logical device name; nothing when it does not end in twelve digits.
std::optional<DeviceNumber> number_in_name(Bytes logical_device_name);

}  // namespace wattmesh::collector
