#pragma once
#include <chrono>
#include <cstdint>
#include <variant>

#include "protocol/base/cipher.h"
#include "protocol/base/result.h"
#include "protocol/dlt645/frame.h"
#include "protocol/dlt645/item.h"

/// What a master asks and a meter answers. Source: DL/T 645-2007, clauses 7.1 to 7.13.
namespace wattmesh::dlt645 {

/// Wall-clock time of the meter: these meters know no zone.
struct LocalTime {
    std::chrono::year_month_day date;
    std::uint8_t hour = 0, minute = 0, second = 0;
    friend bool operator==(const LocalTime&, const LocalTime&) = default;
};

Frame read(const Address& meter, DataId id);
/// The next frame of an answer that did not fit one; `sequence` is 1 for the first of them.
Frame read_next(const Address& meter, DataId id, std::uint8_t sequence);
/// Only one meter may hear it.
Frame read_address();
/// To everybody, or to one; a meter follows within 5 minutes, once a day, and never answers.
Frame set_time(const Address& meter, const LocalTime& time);

/// N1 of a relay command.
enum class RelayCommand : std::uint8_t {
    trip = 0x1A,
    permit_close = 0x1B,  ///< the customer closes it by hand
    close = 0x1C,
    alarm_on = 0x2A,
    alarm_off = 0x2B,
    keep_power_on = 0x3A,
    keep_power_off = 0x3B,
};
/// `password`: level and three octets as sent, PA P0 P1 P2; `operator_code` C0 to C3. The command is void
/// after `valid_until`. Meters of the 2013 edition want a cipher text of the security chip instead: they
/// answer with an error.
Frame control_relay(const Address& meter, const Secret<4>& password, std::uint32_t operator_code,
                    RelayCommand command, const LocalTime& valid_until);

/// Error word of an answer.
namespace error_bit {
inline constexpr std::uint8_t other = 0x01, no_such_data = 0x02, password = 0x04, baud = 0x08,
                              year_zones = 0x10, day_slots = 0x20, tariffs = 0x40;
}
struct Refused {
    std::uint8_t errors = 0;
    friend bool operator==(const Refused&, const Refused&) = default;
};
/// The lowest bit that is set, in words.
std::string_view to_string(const Refused& refused);
/// Behind the identifier, and for read_next without the sequence at the end.
struct ReadData {
    Buffer octets;
    bool more_follows = false;
    friend bool operator==(const ReadData&, const ReadData&) = default;
};
struct Done {
    friend bool operator==(const Done&, const Done&) = default;
};
using Answer = std::variant<ReadData, Done, Refused>;

/// The answer to `asked`. Faults: unexpected (another meter, function, identifier or sequence), truncated.
Result<Answer> take_answer(const Frame& frame, const Frame& asked);

}  // namespace wattmesh::dlt645
