#include "terminal-sim/tool/profile_reading.h"

#include <fmt/format.h>

#include "protocol/base/reader.h"
#include "protocol/dlms/date_time.h"
#include "protocol/dlms/profile_select.h"

namespace wattmesh::sim {

using namespace dlms;

namespace {

constexpr std::size_t rows_max = 65'536;

[[noreturn]] void refuse(std::string_view what, std::string_view quirk) {
    throw std::runtime_error(fmt::format("{}: the quirk {}, which --quirk {} allows", what, quirk, quirk));
}

std::vector<CaptureObject> columns_of(const Data& objects, const Quirks& quirks) {
    Quirks tolerant;
    tolerant.capture_attribute_255 = true;
    std::vector<CaptureObject> columns;
    if (objects.elements() == nullptr) throw std::runtime_error("capture_objects is no array");
    for (const auto& object : *objects.elements()) {
        const auto column = capture_object(object, quirks);
        if (column)
            columns.push_back(*column);
        else if (capture_object(object, tolerant))
            refuse("the columns are named with attribute 255", "capture_attribute_255");
        else
            throw std::runtime_error("capture_objects names something that is no attribute");
    }
    return columns;
}

Selection selection_of(const std::vector<CaptureObject>& columns, const std::pair<Instant, Instant>& range,
                       const Quirks& quirks) {
    const auto between = [&](const Quirks& with) {
        return range_between(columns, {.at = range.first}, {.at = range.second}, InstantForm::octet_string,
                             with);
    };
    if (const auto selection = between(quirks)) return *selection;
    Quirks tolerant = quirks;
    tolerant.sort_column_not_first = true;
    if (between(tolerant)) refuse("the clock is not the first column", "sort_column_not_first");
    throw std::runtime_error("the profile has no clock to choose rows by");
}

}  // namespace

ReadOutcome read_profile(MeterSession& session, const ObisCode& object,
                         const std::optional<std::pair<Instant, Instant>>& range) {
    const Quirks& quirks = session.quirks();
    const auto objects = session.get({7, object, 3});
    if (const auto* refused = std::get_if<AccessResult>(&objects)) return *refused;
    const auto columns = columns_of(std::get<Data>(objects), quirks);
    const auto outcome =
        session.get_octets({7, object, 2}, range ? selection_of(columns, *range, quirks) : Selection{});
    if (const auto* refused = std::get_if<AccessResult>(&outcome)) return *refused;
    Reader in{std::get<Buffer>(outcome)};
    Data value = decode_data(in);
    if (!in.ok() || value.elements() == nullptr) throw std::runtime_error("the profile is no array of rows");
    if (in.remaining() == 0) return value;
    if (!quirks.more_rows_than_counted)
        refuse("more rows follow than the array counts", "more_rows_than_counted");
    std::vector<Data> rows = *value.elements();
    while (in.ok() && in.remaining() > 0 && rows.size() < rows_max) rows.push_back(decode_data(in));
    if (!in.ok() || in.remaining() > 0) throw std::runtime_error("what follows the rows are no rows");
    return array(std::move(rows));
}

}  // namespace wattmesh::sim
