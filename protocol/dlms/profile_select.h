#pragma once
#include <cstdint>
#include <optional>
#include <span>
#include <variant>
#include <vector>

#include "protocol/dlms/date_time.h"
#include "protocol/dlms/object.h"
#include "protocol/dlms/quirks.h"

/// Selective access to a profile's buffer. Source: Blue Book ed. 14, 4.3.6.2.3. No database in here: a store
/// that holds many rows resolves the selection, fetches by its bounds and cuts columns.
namespace wattmesh::dlms {

/// What a column is compared by: an instant in microseconds or an integer.
struct SelectionKey {
    bool time = false;
    std::int64_t value = 0;
    friend bool operator==(const SelectionKey&, const SelectionKey&) = default;
};
/// Nothing for a value that has no order (text, a structure, a date with wildcards). A date-time counts in
/// both forms, octet-string(12) and date-time; `clock` says what deviation 0x8000 means.
std::optional<SelectionKey> selection_key(const Data& value, const ClockModel& clock = utc_clock);

/// Whether `wanted`, as a selection writes it, names this column: equal to it, or with the quirk
/// capture_attribute_255 equal but for an attribute 255 (-1) or 0 where the other has 2, the value.
bool names(const CaptureObject& wanted, const CaptureObject& column, const Quirks& quirks = {});
/// The column that rows are ordered by: the first one; with the quirk sort_column_not_first the first clock,
/// if there is one. Nothing without columns.
std::optional<std::size_t> sort_column(std::span<const CaptureObject> columns, const Quirks& quirks = {});

/// How a meter wants instants in a range.
enum class InstantForm : std::uint8_t { octet_string, date_time };
/// Selector 1 by clock, both ends included: restricting object is the sort column as the meter lists it, if
/// that is a clock, else nothing. `chosen` are indices of columns to answer with, none = all.
std::optional<RangeSelection> range_between(std::span<const CaptureObject> columns, const DateTime& from,
                                            const DateTime& to, InstantForm form = InstantForm::octet_string,
                                            const Quirks& quirks = {},
                                            std::span<const std::size_t> chosen = {});

/// A selection checked against a profile's columns.
struct ResolvedSelection {
    /// Selector 1: column compared, and its inclusive bounds; an absent bound is open.
    struct Range {
        std::size_t column = 0;
        std::optional<SelectionKey> from, to;
    };
    std::optional<Range> range;
    std::uint64_t entry_from = 1;         ///< selector 2: first row, counted from 1
    std::uint64_t entry_to = UINT64_MAX;  ///< last row
    std::vector<std::size_t> columns;     ///< columns to answer with, in this order
    ClockModel clock = utc_clock;         ///< of bounds and rows
};
/// scope_of_access_violated for a column that the profile does not have, type_unmatched for a bound that
/// cannot be compared. With the quirk sort_column_not_first any clock restricts by the sort column.
std::variant<ResolvedSelection, AccessResult> resolve(const Selection& selection,
                                                      std::span<const CaptureObject> columns,
                                                      const Quirks& quirks = {},
                                                      const ClockModel& clock = utc_clock);

/// Whether `row` (a Structure with every column) lies in the range; without a range always.
bool selects(const ResolvedSelection& selection, const Data& row);
/// The row with the chosen columns only.
Data cut(const ResolvedSelection& selection, const Data& row);

/// The buffer's answer: Array of the selected rows. Rows are complete: no null-data for "as before".
ReadOutcome select_rows(std::span<const Data> rows, std::span<const CaptureObject> columns,
                        const Selection& selection, const Quirks& quirks = {},
                        const ClockModel& clock = utc_clock);

}  // namespace wattmesh::dlms
