#pragma once
#include <cstdint>
#include <optional>
#include <span>
#include <variant>
#include <vector>

#include "protocol/dlms/object.h"

/// Selective access to a profile's buffer. Source: Blue Book ed. 14, 4.3.6.2.3. No database in here: a store
/// that holds many rows resolves the selection, fetches by its bounds and cuts columns.
namespace wattmesh::dlms {

/// What a column is compared by: an instant in microseconds or an integer.
struct SelectionKey {
    bool time = false;
    std::int64_t value = 0;
    friend bool operator==(const SelectionKey&, const SelectionKey&) = default;
};
/// Nothing for a value that has no order (text, a structure, a date with wildcards).
std::optional<SelectionKey> selection_key(const Data& value);

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
};
/// scope_of_access_violated for a column that the profile does not have, type_unmatched for a bound that
/// cannot be compared.
std::variant<ResolvedSelection, AccessResult> resolve(const Selection& selection,
                                                      std::span<const CaptureObject> columns);

/// Whether `row` (a Structure with every column) lies in the range; without a range always.
bool selects(const ResolvedSelection& selection, const Data& row);
/// The row with the chosen columns only.
Data cut(const ResolvedSelection& selection, const Data& row);

/// The buffer's answer: Array of the selected rows. Rows are complete: no null-data for "as before".
ReadOutcome select_rows(std::span<const Data> rows, std::span<const CaptureObject> columns,
                        const Selection& selection);

}  // namespace wattmesh::dlms
