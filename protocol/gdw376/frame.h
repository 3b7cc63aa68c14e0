#pragma once
#include <array>
#include <cstdint>
#include <optional>
#include <string>

#include "protocol/base/bytes.h"
#include "protocol/base/cipher.h"
#include "protocol/base/result.h"

/// Frames between master station and concentrator ("terminal"). Source: Q/GDW 376.1-2009 (1376.1-2013 has the
/// same frame), clause 5: 68 | L | L | 68 | C | A | AFN | SEQ | data units | AUX | CS | 16.
namespace wattmesh::gdw376 {

/// Application function code: what the data units are about.
enum class Afn : std::uint8_t {
    confirm = 0x00,
    reset = 0x01,
    link = 0x02,
    relay_station = 0x03,
    set_parameters = 0x04,
    control = 0x05,
    authenticate = 0x06,
    request_report = 0x08,
    terminal_configuration = 0x09,
    query_parameters = 0x0A,
    query_task = 0x0B,
    class_1 = 0x0C,  ///< values of now
    class_2 = 0x0D,  ///< frozen values and curves
    class_3 = 0x0E,  ///< events
    file = 0x0F,
    relay = 0x10,  ///< a frame of another protocol to a meter, and back
};
/// Whether a master's frame with this code carries the password.
bool wants_password(Afn afn);

/// Function of C when the sender starts the exchange (`initiates`), else of the answer.
namespace function {
inline constexpr std::uint8_t reset = 1, send_no_reply = 4, link_test = 9, request_class_1 = 10,
                              request_class_2 = 11;
inline constexpr std::uint8_t acknowledge = 0, user_data = 8, no_data = 9, link_status = 11;
}  // namespace function

struct Address {
    std::uint16_t area = 0;      ///< four BCD digits: 0x4403
    std::uint16_t terminal = 0;  ///< 1 to 65535; with `group` 0xFFFF is everybody
    bool group = false;
    std::uint8_t master = 0;  ///< 0 to 127: whose question it was; 0 when the terminal started
    friend bool operator==(const Address&, const Address&) = default;
};
/// As labels and databases have it: "4403-1234", hexadecimal both.
std::string to_string(const Address& address);

/// Tp: when a frame was sent, on the sender's clock, and for how long it counts. A terminal drops older ones.
struct TimeTag {
    std::uint8_t counter = 0;
    std::uint8_t second = 0, minute = 0, hour = 0, day = 0;
    std::uint8_t delay_min = 0;  ///< minutes
    friend bool operator==(const TimeTag&, const TimeTag&) = default;
};
/// EC: important and normal events that wait in the terminal, modulo 256.
struct EventCounters {
    std::uint8_t important = 0, normal = 0;
    friend bool operator==(const EventCounters&, const EventCounters&) = default;
};

struct Frame {
    std::uint8_t protocol = 2;  ///< 1: Q/GDW 130-2005, 2: 376.1
    bool from_terminal = false, initiates = true;
    bool frame_count_bit = false, frame_count_valid = false;  ///< of a master
    std::uint8_t function = function::request_class_2;
    Address address;
    Afn afn{};
    bool first = true, last = true;       ///< of an answer in several frames
    bool confirm = false;                 ///< the sender wants AFN 00 back
    std::uint8_t sequence = 0;            ///< 0 to 15; an answer repeats it
    Buffer units;                         ///< data units: DA DT data ...
    std::optional<Secret<16>> password;   ///< of a master, where wants_password
    std::optional<EventCounters> events;  ///< of a terminal: ACD
    std::optional<TimeTag> time_tag;
};
inline constexpr std::size_t user_size_max = 2'048;  ///< terminals take 200 to 1024

/// Asserts the ranges above.
Buffer encode(const Frame& frame);

/// Cuts a stream. FE and noise in front are skipped; what has not two equal lengths, checksum and end costs
/// its first octet only. Reads what terminals really send: a missing password is none, a wrong P is told, not
/// refused.
class Decoder {
public:
    explicit Decoder(std::size_t user_max = user_size_max) : user_max_(user_max) {}
    void feed(Bytes octets);
    std::optional<Frame> next();
    bool partial() const { return !buffer_.empty(); }
    /// Frames whose checksum, length or end was wrong, or that were too short.
    std::uint64_t refused() const { return refused_; }

private:
    std::size_t user_max_;
    Buffer buffer_;
    std::uint64_t refused_ = 0;
};

/// The frame that answers or confirms `asked`: its address, sequence and direction turned.
Frame answer_to(const Frame& asked, Afn afn);

}  // namespace wattmesh::gdw376
