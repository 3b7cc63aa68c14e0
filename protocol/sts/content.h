#pragma once
#include <variant>

#include "protocol/base/secret.h"
#include "protocol/sts/refusal.h"
#include "protocol/sts/token.h"
#include "protocol/sts/token_time.h"

/// What tokens say, before encryption. Source: IEC 62055-41, 6.2 and 6.3; extended tokens: STS 202-5.
namespace wattmesh::sts {

enum class Commodity : std::uint8_t { electricity, water, gas, time };

/// 0/0 to 0/3: units to be added.
struct Credit {
    Commodity commodity{};
    std::uint8_t random = 0;  ///< 4 bits, so that equal purchases do not look equal
    Tid tid{};
    std::uint16_t amount = 0;  ///< of encode_units, in 0.1 kWh, m3 or minutes
    friend bool operator==(const Credit&, const Credit&) = default;
};

/// 0/4 to 0/7: money to be added, or taken.
struct CurrencyCredit {
    Commodity commodity{};
    Tid tid{};
    std::uint32_t amount = 0;  ///< of encode_currency
    friend bool operator==(const CurrencyCredit&, const CurrencyCredit&) = default;
};

/// 1/0 to 1/2: for any meter, not encrypted. Each bit of `control` asks for a test or a display.
struct MeterTest {
    enum class Form : std::uint8_t { two_digit_make, four_digit_make, extended };
    Form form{};
    std::uint64_t control = 0;       ///< 36 bits, four_digit_make: 28
    std::uint16_t manufacturer = 0;  ///< 8 bits, four_digit_make: 16; 0 is every make
    friend bool operator==(const MeterTest&, const MeterTest&) = default;
};
constexpr unsigned control_bits(MeterTest::Form form) {
    return form == MeterTest::Form::four_digit_make ? 28 : 36;
}

/// Class 2, to one meter. The value is its subclass.
enum class Command : std::uint8_t {
    power_limit = 0,      ///< W, of encode_units
    clear_credit = 1,     ///< register 0 to 3, currency register 4 to 7, or 0xFFFF: all
    tariff_rate = 2,      ///< reserved
    clear_tamper = 5,     ///< 0
    phase_unbalance = 6,  ///< W, of encode_units
    water_factor = 7,     ///< reserved
    extended = 10,        ///< index in the upper 6 bits, flag or value
};
inline constexpr std::uint16_t every_register = 0xFFFF;
/// 2/0, 2/1, 2/2, 2/5, 2/6, 2/7, 2/10.
struct Management {
    Command command{};
    std::uint8_t random = 0;  ///< 4 bits
    Tid tid{};
    std::uint16_t value = 0;
    friend bool operator==(const Management&, const Management&) = default;
};

/// 2/3, 2/4, 2/8, 2/9: sections 1 to 4 of a new decoder key. They have no identifier and no chance in them:
/// made again they are the same digits. See key_change.h for what the attributes hold.
struct KeySection {
    std::uint8_t number = 1;       ///< 1 to 4
    std::uint16_t attributes = 0;  ///< 12 bits
    Secret<4> key_part;
};

using Content = std::variant<Credit, CurrencyCredit, MeterTest, Management, KeySection>;

TokenClass class_of(const Content& content);
std::uint8_t subclass_of(const Content& content);
/// The identifier, of those that have one.
std::optional<Tid> tid_of(const Content& content);

/// With its checksum. Values must fit their fields.
Block encode(const Content& content);
/// Of a block in the clear: content, or checksum, or function (the checksum holds, the subclass is reserved).
std::variant<Content, Refusal> decode(const Block& block);

}  // namespace wattmesh::sts
