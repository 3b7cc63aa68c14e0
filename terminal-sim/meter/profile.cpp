#include "terminal-sim/meter/profile.h"

#include <algorithm>
#include <cassert>
#include <numeric>

#include "protocol/dlms/date_time.h"
#include "protocol/dlms/profile_select.h"

namespace wattmesh::sim {

using namespace dlms;

Profile::Profile(std::vector<ProfileColumn> columns, std::uint32_t period_s, std::size_t rows_max,
                 bool short_stamps, const Quirks& quirks)
    : columns_(std::move(columns)),
      period_s_(period_s),
      rows_max_(rows_max),
      short_stamps_(short_stamps),
      quirks_(quirks),
      order_(columns_.size()) {
    assert(!columns_.empty() && columns_.front().type == CellType::stamp);
    std::iota(order_.begin(), order_.end(), 0U);
    if (quirks.sort_column_not_first) std::rotate(order_.begin(), order_.begin() + 1, order_.end());
}

void Profile::append(ProfileRow row) {
    assert(row.cells.size() + 1 == columns_.size());
    rows_.push_back(std::move(row));
    if (rows_.size() > rows_max_) rows_.pop_front();
}

ReadOutcome Profile::get(std::int8_t attribute, const Selection& selection) const {
    if (attribute == 2) return buffer(selection);
    if (!std::holds_alternative<std::monostate>(selection)) return AccessResult::type_unmatched;
    constexpr std::uint8_t first_in_first_out = 1;
    switch (attribute) {
        case 3:
            return capture_objects();
        case 4:
            return Data{period_s_};
        case 5:
            return Data{Enum{first_in_first_out}};
        case 6:
            return to_data(CaptureObject{});  // first in, first out sorts by no object
        case 7:
            return Data{static_cast<std::uint32_t>(rows_.size())};
        case 8:
            return Data{static_cast<std::uint32_t>(rows_max_)};
        default:
            return AccessResult::object_undefined;
    }
}

Data Profile::capture_objects() const {
    std::vector<Data> objects;
    objects.reserve(columns_.size());
    for (const std::size_t column : order_) {
        const auto& object = columns_[column].object;
        if (!quirks_.capture_attribute_255) {
            objects.push_back(to_data(object));
            continue;
        }
        constexpr std::uint8_t whole_object = 255;
        objects.push_back(structure({Data{object.class_id}, octet_string(object.object), Data{whole_object},
                                     Data{object.data_index}}));
    }
    return array(std::move(objects));
}

ReadOutcome Profile::buffer(const Selection& selection) const {
    if (const auto* range = std::get_if<RangeSelection>(&selection)) return by_range(*range);
    if (const auto* entries = std::get_if<EntrySelection>(&selection)) return by_entry(*entries);
    return encode(0, rows_.size(), order_);
}

ReadOutcome Profile::by_range(const RangeSelection& range) const {
    const auto from = date_time(range.from), to = date_time(range.to);
    if (range.restricting.object != obis::clock || !from || !to) return AccessResult::type_unmatched;
    std::vector<std::size_t> wanted;
    for (const auto& object : range.columns) {
        const auto found = std::find_if(columns_.begin(), columns_.end(), [&](const ProfileColumn& column) {
            return names(object, column.object, quirks_);
        });
        if (found == columns_.end()) return AccessResult::object_undefined;
        wanted.push_back(static_cast<std::size_t>(found - columns_.begin()));
    }
    if (wanted.empty()) wanted = order_;
    const auto first = std::find_if(rows_.begin(), rows_.end(),
                                    [&](const ProfileRow& row) { return row.stamp >= from->at; });
    const auto last =
        std::find_if(first, rows_.end(), [&](const ProfileRow& row) { return row.stamp > to->at; });
    return encode(static_cast<std::size_t>(first - rows_.begin()),
                  static_cast<std::size_t>(last - rows_.begin()), wanted);
}

ReadOutcome Profile::by_entry(const EntrySelection& entries) const {
    const std::size_t last = entries.to == 0 ? rows_.size() : std::min<std::size_t>(entries.to, rows_.size());
    const std::size_t column_last =
        entries.column_to == 0 ? columns_.size() : std::min<std::size_t>(entries.column_to, columns_.size());
    if (entries.from == 0 || entries.column_from == 0 || entries.column_from > column_last)
        return AccessResult::type_unmatched;
    const auto begin = order_.begin();
    const std::vector<std::size_t> wanted(begin + entries.column_from - 1,
                                          begin + static_cast<std::ptrdiff_t>(column_last));
    return encode(entries.from - 1U, last, wanted);
}

Data Profile::encode(std::size_t first, std::size_t last, const std::vector<std::size_t>& columns) const {
    const std::chrono::seconds period{period_s_};
    std::vector<Data> rows;
    for (std::size_t i = first; i < last; ++i) {
        const bool follows =
            short_stamps_ && period_s_ != 0 && i > first && rows_[i].stamp == rows_[i - 1].stamp + period;
        std::vector<Data> cells;
        cells.reserve(columns.size());
        for (const std::size_t column : columns)
            cells.push_back(follows && columns_[column].type == CellType::stamp ? Data{Null{}}
                                                                                : cell(rows_[i], column));
        rows.push_back(structure(std::move(cells)));
    }
    return array(std::move(rows));
}

Data Profile::cell(const ProfileRow& row, std::size_t column) const {
    switch (columns_[column].type) {
        case CellType::stamp:
            return date_time_octets({.at = row.stamp});
        case CellType::unsigned8:
            return static_cast<std::uint8_t>(row.cells[column - 1]);
        case CellType::unsigned32:
            return row.cells[column - 1];
    }
    return Null{};
}

}  // namespace wattmesh::sim
