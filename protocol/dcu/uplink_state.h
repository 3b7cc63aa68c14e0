#pragma once
#include <optional>
#include <string>
#include <vector>

#include "protocol/base/result.h"
#include "protocol/base/time.h"
#include "protocol/dlms/data.h"

namespace wattmesh::dcu {

/// Registration with a cellular network. Source: 3GPP TS 27.007, 7.2 (+CREG) and 10.1.22 (+CEREG), <stat>.
enum class Registration : std::uint8_t {
    idle = 0,  ///< and not searching
    home = 1,
    searching = 2,
    denied = 3,
    unknown = 4,
    roaming = 5
};
std::string_view to_string(Registration registration);

/// The concentrator's modem.
struct CellularState {
    std::string state{};  ///< a word: "ready", "registering", "pin_refused", ... (protocol/modem/modem.h)
    std::string operator_name{};
    Registration registration = Registration::unknown;
    std::optional<std::int8_t> signal_dbm{};  ///< nothing: not known
    std::uint32_t redials = 0, restarts = 0, resets = 0;
    friend bool operator==(const CellularState&, const CellularState&) = default;
};

/// One way to the head-end (concentrator/uplink/ways.h), counted since the program started.
struct UplinkWay {
    std::string bearer{}, address{};
    bool available = true;
    std::uint64_t calls = 0, sessions = 0, failures = 0, probes = 0, probes_answered = 0;
    std::string last_failure{};
    friend bool operator==(const UplinkWay&, const UplinkWay&) = default;
};

/// How a concentrator is connected: object 0-128:96.9.0, class 1, attribute 2.
struct UplinkState {
    std::uint8_t current = 0;       ///< index in `ways`: what the answer came over
    Instant since{};                ///< logged in
    std::uint64_t moves = 0;        ///< to another way
    std::uint64_t returns = 0;      ///< of them back to a better one that had been stable
    std::vector<UplinkWay> ways{};  ///< best first
    std::optional<CellularState> cellular{};
    friend bool operator==(const UplinkState&, const UplinkState&) = default;
};
inline constexpr std::size_t uplink_ways_max = 16, uplink_text_max = 128;
/// Texts are cut to `uplink_text_max` octets.
dlms::Data to_data(const UplinkState& state);
Result<UplinkState> uplink_state_from_data(const dlms::Data& data);

}  // namespace wattmesh::dcu
