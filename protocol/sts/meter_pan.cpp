#include "protocol/sts/meter_pan.h"

#include <algorithm>
#include <cassert>

namespace wattmesh::sts {
namespace {

constexpr std::string_view issuer_of_two_digit_makes = "600727", issuer_of_four_digit_makes = "0000";

bool check_holds(std::string_view number) {
    return check_digit(number.substr(0, number.size() - 1)) == number.back();
}

}  // namespace

std::string_view explain(PanFault fault) {
    switch (fault) {
        case PanFault::not_digits:
            return "a meter number has digits only";
        case PanFault::wrong_length:
            return "a meter number has 11 or 13 digits, with its issuer and check digit 18";
        case PanFault::unknown_issuer:
            return "the 18 digits begin with neither 600727 nor 0000";
        case PanFault::wrong_meter_check:
            return "a digit of the meter number is wrong: its last digit does not fit the others";
        case PanFault::wrong_pan_check:
            return "a digit is wrong: the last of the 18 digits does not fit the others";
    }
    return "?";
}

char check_digit(std::string_view payload) {
    int sum = 0;
    bool doubled = true;
    for (auto digit = payload.rbegin(); digit != payload.rend(); ++digit, doubled = !doubled) {
        assert(*digit >= '0' && *digit <= '9');
        const int value = (*digit - '0') * (doubled ? 2 : 1);
        sum += value > 9 ? value - 9 : value;
    }
    return static_cast<char>('0' + (10 - sum % 10) % 10);
}

std::variant<MeterPan, PanFault> MeterPan::parse(std::string_view text) {
    if (!std::all_of(text.begin(), text.end(), [](char letter) { return letter >= '0' && letter <= '9'; }))
        return PanFault::not_digits;
    if (text.size() != 11 && text.size() != 13 && text.size() != 18) return PanFault::wrong_length;
    std::string all{text};
    if (text.size() != 18) {
        all.insert(0, text.size() == 11 ? issuer_of_two_digit_makes : issuer_of_four_digit_makes);
        all += check_digit(all);
    }
    MeterPan pan;
    std::copy(all.begin(), all.end(), pan.digits_.begin());
    if (!all.starts_with(issuer_of_two_digit_makes) && !all.starts_with(issuer_of_four_digit_makes))
        return PanFault::unknown_issuer;
    if (!check_holds(pan.meter_number())) return PanFault::wrong_meter_check;
    if (!check_holds(pan.digits())) return PanFault::wrong_pan_check;
    return pan;
}

std::string_view MeterPan::meter_number() const {
    const auto issuer = digits().starts_with(issuer_of_four_digit_makes) ? issuer_of_four_digit_makes.size()
                                                                         : issuer_of_two_digit_makes.size();
    return digits().substr(issuer, digits().size() - issuer - 1);
}

}  // namespace wattmesh::sts
