#pragma once
#include <variant>
#include <vector>

#include "protocol/gdw376/format.h"
#include "protocol/gdw376/frame.h"
#include "protocol/gdw376/unit.h"

/// What keeps a session: log-in, heartbeats, acknowledgements, the clock, and frames to meters. Source: Q/GDW
/// 376.1-2009, 5.5 (AFN 00), 5.7 (02), 5.9 (05), 5.20 (10).
namespace wattmesh::gdw376 {

/// AFN 02, from the terminal: the first frame of a connection, and then one now and again.
enum class LinkItem : std::uint8_t { login = 1, logout = 2, heartbeat = 3 };
/// Nothing when it is none.
std::optional<LinkItem> link_item(const Frame& frame);
/// The simulated terminal's side.
Frame link_frame(const Address& terminal, LinkItem item, std::uint8_t sequence);

/// AFN 00. Terminals send and take F3 with or without items: all ok unless an item says otherwise.
struct Confirmation {
    bool all_ok = false, all_denied = false;
    std::vector<std::uint8_t> errors;  ///< of F3; 0 is none
    bool accepted() const;
    friend bool operator==(const Confirmation&, const Confirmation&) = default;
};
Result<Confirmation> decode_confirmation(const Frame& frame);
/// F1 or F2 for the whole frame.
Frame confirm(const Frame& asked, bool ok);

/// A request of class 1 or 2 that needs no more than its head: 0C F2, F25, F33, F34, F129 and the like.
Frame request(const Address& terminal, Afn afn, const UnitHead& head, std::uint8_t sequence);
/// 05 F31: sets the terminal's clock.
Frame set_clock(const Address& terminal, const WallTime& time, const Secret<16>& password,
                std::uint8_t sequence);

/// 10 F1: octets to a meter through a port of the terminal.
struct SerialSettings {
    std::uint32_t baud = 2'400;  ///< 300, 600, 1200, 2400, 4800, 7200, 9600 or 19200
    std::uint8_t data_bits = 8, stop_bits = 1;
    enum class Parity : std::uint8_t { none, even, odd } parity = Parity::even;
    friend bool operator==(const SerialSettings&, const SerialSettings&) = default;
};
struct RelayRequest {
    std::uint8_t port = 31;  ///< 1 to 31; 31 is the module of the carrier or radio network
    SerialSettings serial;
    std::chrono::milliseconds answer_timeout{60'000};  ///< up to 127 s; above 1.27 s in whole seconds
    std::chrono::milliseconds octet_timeout{100};      ///< up to 2.55 s
    Buffer octets;                                     ///< terminals take 250 at most
    friend bool operator==(const RelayRequest&, const RelayRequest&) = default;
};
Frame relay(const Address& terminal, const RelayRequest& request, const Secret<16>& password,
            std::uint8_t sequence);
/// The simulated terminal's side.
Result<RelayRequest> decode_relay_request(const Frame& frame);
struct RelayAnswer {
    std::uint8_t port = 0;
    Buffer octets;  ///< empty: the meter did not answer
    friend bool operator==(const RelayAnswer&, const RelayAnswer&) = default;
};
/// Fault refused: the terminal said no (AFN 00 F2).
Result<RelayAnswer> decode_relay_answer(const Frame& frame);
Frame relay_answer(const Frame& asked, const RelayAnswer& answer);

}  // namespace wattmesh::gdw376
