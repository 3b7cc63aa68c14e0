#include "concentrator/reading/row_entries.h"

#include <algorithm>

#include "protocol/dlms/date_time.h"

namespace wattmesh::concentrator {
namespace {

// structure and array headers and the profile's code
constexpr std::size_t payload_overhead = 40;

bool is_null(const dlms::Data& data) { return data.as<dlms::Null>() != nullptr; }

/// The first row of an entry must tell everything itself: null-data means "the row before", which is in
/// another entry.
void tell(dlms::Data& row, const dcu::IntervalRow& typed) {
    auto& cells = std::get<dlms::Structure>(row.value).elements;
    if (is_null(cells[0])) cells[0] = dlms::date_time_octets({typed.at, 0, 0});
    if (is_null(cells[1])) cells[1] = typed.status;
    for (std::size_t i = 2; i < cells.size(); ++i)
        if (is_null(cells[i]) && typed.values[i - 2]) cells[i] = *typed.values[i - 2];
}

}  // namespace

Result<RowEntries> row_entries(const DeviceNumber& meter, const ObisCode& profile, const dlms::Data& rows,
                               Duration period, const Now& now) {
    const auto typed = dcu::interval_rows({profile, rows}, period);
    if (!typed) return typed.error();
    RowEntries out;
    for (const auto& row : *typed) out.last = std::max(out.last.value_or(row.at), row.at);

    std::vector<dlms::Data> part;
    std::size_t octets = payload_overhead;
    const auto flush = [&] {
        if (part.empty()) return;
        out.entries.push_back({meter, dcu::EntryKind::interval_rows, now.utc, now.doubtful,
                               dcu::encode(dcu::ProfileRows{profile, dlms::array(std::move(part))})});
        part.clear();
        octets = payload_overhead;
    };
    for (std::size_t i = 0; i < typed->size(); ++i) {
        dlms::Data row = (*rows.elements())[i];
        if (octets + dlms::encode_data(row).size() > dcu::entry_payload_size_max) flush();
        if (part.empty()) tell(row, (*typed)[i]);
        const std::size_t size = dlms::encode_data(row).size();
        if (octets + size > dcu::entry_payload_size_max) return Error{Fault::too_long, i};
        part.push_back(std::move(row));
        octets += size;
    }
    flush();
    return out;
}

Result<std::optional<Instant>> oldest_instant(const dlms::Data& rows) {
    const auto* array = rows.as<dlms::Array>();
    if (array == nullptr) return Error{Fault::bad_tag, 0};
    if (array->elements.empty()) return std::optional<Instant>{};
    const auto* columns = array->elements[0].elements();
    if (columns == nullptr || columns->empty()) return Error{Fault::bad_tag, 0};
    const auto time = dlms::date_time((*columns)[0]);
    if (!time) return Error{Fault::bad_value, 0};
    return std::optional<Instant>{time->at};
}

}  // namespace wattmesh::concentrator
