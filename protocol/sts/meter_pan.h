#pragma once
#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

/// Numbers of meters. Source: IEC 62055-41, 6.1.2; check digits: ISO/IEC 7812-1 annex B.
namespace wattmesh::sts {

/// What is wrong with a number that somebody keyed in.
enum class PanFault : std::uint8_t {
    not_digits,
    wrong_length,
    unknown_issuer,
    wrong_meter_check,
    wrong_pan_check
};
/// In plain words, without the number.
std::string_view explain(PanFault fault);

/// Mod 10 of the digits in `payload`: the rightmost is doubled first. `payload` holds decimal digits only.
char check_digit(std::string_view payload);

/// The 18 digits that name a meter everywhere: issuer (600727, or 0000 for meters whose manufacturer has four
/// digits), meter number with its own check digit, check digit.
class MeterPan {
public:
    /// Takes all 18 digits, or the meter number alone (11 or 13 digits, of which the issuer follows).
    static std::variant<MeterPan, PanFault> parse(std::string_view text);

    std::string_view digits() const { return {digits_.data(), digits_.size()}; }
    /// 11 or 13 digits, as printed on the meter.
    std::string_view meter_number() const;
    friend auto operator<=>(const MeterPan&, const MeterPan&) = default;

private:
    MeterPan() = default;
    std::array<char, 18> digits_{};
};

}  // namespace wattmesh::sts
