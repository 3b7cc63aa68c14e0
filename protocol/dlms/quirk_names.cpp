#include "protocol/dlms/quirk_names.h"

#include <algorithm>
#include <array>

#include "protocol/base/reader.h"
#include "protocol/dlms/acse.h"
#include "protocol/dlms/data.h"

namespace wattmesh::dlms {

namespace {

constexpr std::array<QuirkName, 9> names{{{"empty_system_title", &Quirks::empty_system_title},
                                          {"missing_user_information", &Quirks::missing_user_information},
                                          {"wrong_release_length", &Quirks::wrong_release_length},
                                          {"tagged_date_time", &Quirks::tagged_date_time},
                                          {"capture_attribute_255", &Quirks::capture_attribute_255},
                                          {"sort_column_not_first", &Quirks::sort_column_not_first},
                                          {"more_rows_than_counted", &Quirks::more_rows_than_counted},
                                          {"equal_challenges", &Quirks::equal_challenges},
                                          {"optical_echo", &Quirks::optical_echo}}};

bool has_no_user_information(Bytes apdu) {
    const auto aare = decode_aare(apdu);
    return aare && aare->result == association_result::accepted && aare->user_information.empty();
}

bool has_wrong_release_length(Bytes apdu) {
    return !decode_release(apdu, false) && decode_release(apdu, true);
}

/// GET-response-normal with an array that ends before its octets do.
bool has_uncounted_rows(Bytes apdu) {
    Reader in{apdu};
    in.expect(0xC4).expect(0x01).skip(1);
    in.expect(0x00);
    const Data value = decode_data(in);
    return in.ok() && value.as<Array>() != nullptr && in.remaining() > 0;
}

bool has_tagged_date_time(Bytes apdu) {
    constexpr std::size_t after_invoke = 5;  // DataNotification: tag and long invoke-id
    return apdu.size() > after_invoke + 1 && apdu[after_invoke] == 0x09 && apdu[after_invoke + 1] == 0x0C;
}

}  // namespace

std::span<const QuirkName> quirk_names() { return names; }

const QuirkName* quirk_named(std::string_view name) {
    const auto* const found = std::ranges::find(names, name, &QuirkName::name);
    return found == names.end() ? nullptr : found;
}

std::optional<std::string_view> quirk_shown(Bytes apdu, const Quirks& allowed) {
    if (apdu.size() < 2) return std::nullopt;
    bool Quirks::* shown = nullptr;
    if (apdu[0] == 0x61 && has_no_user_information(apdu)) shown = &Quirks::missing_user_information;
    if (apdu[0] == 0x63 && has_wrong_release_length(apdu)) shown = &Quirks::wrong_release_length;
    if (apdu[0] == 0xDB && apdu[1] == 0) shown = &Quirks::empty_system_title;
    if (apdu[0] == 0xC4 && has_uncounted_rows(apdu)) shown = &Quirks::more_rows_than_counted;
    if (apdu[0] == 0x0F && has_tagged_date_time(apdu)) shown = &Quirks::tagged_date_time;
    if (shown == nullptr || allowed.*shown) return std::nullopt;
    return std::ranges::find(names, shown, &QuirkName::flag)->name;
}

}  // namespace wattmesh::dlms
