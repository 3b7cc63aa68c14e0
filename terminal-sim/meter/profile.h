#pragma once
#include <deque>
#include <vector>

#include "protocol/dlms/object.h"

namespace wattmesh::sim {

/// What a column's cells are on the wire. The first column of every profile is the clock.
enum class CellType : std::uint8_t { stamp, unsigned8, unsigned32 };
struct ProfileColumn {
    dlms::CaptureObject object;
    CellType type{};
};
/// One captured row: the meter's own time and the cells behind the clock column.
struct ProfileRow {
    Instant stamp{};
    std::vector<std::uint32_t> cells;
};

/// Buffer of a Profile generic object (class 7): a ring, oldest row out first.
class Profile {
public:
    /// `period_s` 0: captured by events. `short_stamps`: a clock that is the previous one plus the period
    /// travels as null-data, so that more rows fit into one radio frame. `quirks`: sort_column_not_first and
    /// capture_attribute_255 are shown.
    Profile(std::vector<ProfileColumn> columns, std::uint32_t period_s, std::size_t rows_max,
            bool short_stamps, const dlms::Quirks& quirks = {});

    void append(ProfileRow row);
    const std::deque<ProfileRow>& rows() const { return rows_; }
    const std::vector<ProfileColumn>& columns() const { return columns_; }
    /// Any readable attribute 2..8; selection by range of the clock, by entry, and of columns, for the
    /// buffer.
    dlms::ReadOutcome get(std::int8_t attribute, const dlms::Selection& selection) const;

private:
    dlms::ReadOutcome buffer(const dlms::Selection& selection) const;
    dlms::ReadOutcome by_range(const dlms::RangeSelection& range) const;
    dlms::ReadOutcome by_entry(const dlms::EntrySelection& entries) const;
    dlms::Data encode(std::size_t first, std::size_t last, const std::vector<std::size_t>& columns) const;
    dlms::Data cell(const ProfileRow& row, std::size_t column) const;
    dlms::Data capture_objects() const;

    std::vector<ProfileColumn> columns_;
    std::uint32_t period_s_;
    std::size_t rows_max_;
    bool short_stamps_;
    dlms::Quirks quirks_;
    std::vector<std::size_t> order_;  ///< of the columns, as they are shown
    std::deque<ProfileRow> rows_;
};

}  // namespace wattmesh::sim
