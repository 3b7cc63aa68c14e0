#pragma once
#include <variant>
#include <vector>

#include "protocol/base/bytes.h"
#include "protocol/base/result.h"
#include "protocol/iec104/types.h"

namespace wattmesh::iec104 {

struct SinglePoint {
    bool on = false;
    bool operator==(const SinglePoint&) const = default;
};
/// The two positions in between come from a switch on its way, or from one whose contacts disagree.
enum class DoubleState : std::uint8_t { intermediate, off, on, indeterminate };
struct DoublePoint {
    DoubleState state{};
    bool operator==(const DoublePoint&) const = default;
};
struct Bitstring {
    std::uint32_t bits = 0;
    bool operator==(const Bitstring&) const = default;
};
struct Normalized {
    std::int16_t raw = 0;  ///< value = raw / 2^15
    bool operator==(const Normalized&) const = default;
};
struct Scaled {
    std::int16_t value = 0;
    bool operator==(const Scaled&) const = default;
};
struct Float {
    float value = 0;
    bool operator==(const Float&) const = default;
};
/// Binary counter reading. Its own flags stand in place of a Quality. Source: 101 ed. 2, 7.2.6.9.
struct Counter {
    std::int32_t value = 0;
    std::uint8_t sequence = 0;  ///< 0..31, counts the freezes
    bool carry = false, adjusted = false, invalid = false;
    bool operator==(const Counter&) const = default;
};
struct EndOfInitialisation {
    std::uint8_t cause = 0;
    bool operator==(const EndOfInitialisation&) const = default;
};
struct SingleCommand {
    bool on = false;
    std::uint8_t qualifier = 0;  ///< 0..31
    bool select = false;
    bool operator==(const SingleCommand&) const = default;
};
struct DoubleCommand {
    DoubleState state{};  ///< only off and on are commands
    std::uint8_t qualifier = 0;
    bool select = false;
    bool operator==(const DoubleCommand&) const = default;
};
struct FloatSetpoint {
    float value = 0;
    std::uint8_t qualifier = 0;  ///< 0..127
    bool select = false;
    bool operator==(const FloatSetpoint&) const = default;
};
struct Interrogation {
    std::uint8_t qualifier = whole_station;
    bool operator==(const Interrogation&) const = default;
};
enum class Freeze : std::uint8_t { read, freeze, freeze_and_reset, reset };
struct CounterInterrogation {
    std::uint8_t request = all_counters;  ///< 0..63
    Freeze freeze{};
    bool operator==(const CounterInterrogation&) const = default;
};
struct ReadRequest {
    bool operator==(const ReadRequest&) const = default;
};
/// What it sets is the object's time.
struct ClockSync {
    bool operator==(const ClockSync&) const = default;
};
struct ResetProcess {
    std::uint8_t qualifier = 0;
    bool operator==(const ResetProcess&) const = default;
};
struct TestCommand {
    std::uint16_t pattern = 0;
    bool operator==(const TestCommand&) const = default;
};

using Value = std::variant<SinglePoint, DoublePoint, Bitstring, Normalized, Scaled, Float, Counter,
                           EndOfInitialisation, SingleCommand, DoubleCommand, FloatSetpoint, Interrogation,
                           CounterInterrogation, ReadRequest, ClockSync, ResetProcess, TestCommand>;

struct Object {
    std::uint32_t address = 0;  ///< 24 bits
    Value value{};
    Quality quality{};  ///< of points and measured values
    Time56 time{};      ///< of types with time
    bool operator==(const Object&) const = default;
};

struct Header {
    Type type{};
    Cause cause{};
    bool negative = false, test = false;
    std::uint8_t originator = 0;
    std::uint16_t common_address = 0;
    bool operator==(const Header&) const = default;
};

struct Asdu {
    Header header{};
    bool sequence = false;  ///< SQ: addresses count up from the first object's
    std::vector<Object> objects;
    bool operator==(const Asdu&) const = default;
};

/// Strict: the length is what type and count say; types that we do not speak are `unsupported`. Offsets count
/// from the type. At most 127 objects.
Result<Asdu> decode_asdu(Bytes asdu);
/// The six octets before the objects, of any type; what a refusal needs.
Result<Header> decode_header(Bytes asdu);
Buffer encode(const Asdu& asdu);

/// The value that a type carries, zero: what a decoder would put there.
Value value_of(Type type);

/// Puts objects of one type into one ASDU as long as they fit.
class AsduBuilder {
public:
    AsduBuilder(const Header& header, bool sequence);
    /// How many objects of this type fit.
    static std::size_t room(Type type, bool sequence);
    bool full() const { return count_ == room_; }
    std::size_t count() const { return count_; }
    /// Not when full. Its value belongs to the type; in a sequence its address follows the last one's.
    void add(const Object& object);
    Buffer take();

private:
    const TypeForm& form_;
    bool sequence_;
    std::size_t room_, count_ = 0;
    std::uint32_t last_ = 0;
    Buffer out_;
};

/// Seven octets; a time outside of 2000..2099 is written as invalid.
void encode_time(const Time56& time, Buffer& out);
/// `bad_value` when the fields are no date; the day of the week is not looked at.
Result<Time56> decode_time(Bytes seven);

}  // namespace wattmesh::iec104
