#include "protocol/dlms/profile_select.h"

#include <algorithm>

#include "protocol/dlms/date_time.h"

namespace wattmesh::dlms {

namespace {

using Resolved = std::variant<ResolvedSelection, AccessResult>;

std::optional<std::size_t> column_of(const CaptureObject& wanted, std::span<const CaptureObject> columns) {
    const auto found = std::ranges::find(columns, wanted);
    if (found == columns.end()) return std::nullopt;
    return static_cast<std::size_t>(found - columns.begin());
}

std::vector<std::size_t> all_columns(std::size_t count) {
    std::vector<std::size_t> columns(count);
    for (std::size_t i = 0; i < count; ++i) columns[i] = i;
    return columns;
}

/// A null bound is open; false when the bound has no order.
bool set_bound(std::optional<SelectionKey>& bound, const Data& value) {
    if (value.as<Null>()) return true;
    bound = selection_key(value);
    return bound.has_value();
}

Resolved resolve_range(const RangeSelection& selection, std::span<const CaptureObject> columns) {
    ResolvedSelection resolved;
    const auto restricting = column_of(selection.restricting, columns);
    if (!restricting) return AccessResult::scope_of_access_violated;
    ResolvedSelection::Range range{.column = *restricting, .from = {}, .to = {}};
    if (!set_bound(range.from, selection.from) || !set_bound(range.to, selection.to))
        return AccessResult::type_unmatched;
    if (range.from && range.to && range.from->time != range.to->time) return AccessResult::type_unmatched;
    resolved.range = range;
    if (selection.columns.empty()) resolved.columns = all_columns(columns.size());
    // More columns than the profile has would only repeat some.
    if (selection.columns.size() > columns.size()) return AccessResult::scope_of_access_violated;
    for (const CaptureObject& wanted : selection.columns) {
        const auto column = column_of(wanted, columns);
        if (!column) return AccessResult::scope_of_access_violated;
        resolved.columns.push_back(*column);
    }
    return resolved;
}

Resolved resolve_entry(const EntrySelection& selection, std::size_t column_count) {
    const std::size_t first = std::max<std::size_t>(selection.column_from, 1);
    const std::size_t last = selection.column_to == 0 ? column_count : selection.column_to;
    if (last > column_count || first > last) return AccessResult::scope_of_access_violated;
    ResolvedSelection resolved;
    resolved.entry_from = std::max<std::uint64_t>(selection.from, 1);
    if (selection.to != 0) resolved.entry_to = selection.to;
    for (std::size_t column = first; column <= last; ++column) resolved.columns.push_back(column - 1);
    return resolved;
}

}  // namespace

std::optional<SelectionKey> selection_key(const Data& value) {
    if (const auto integer = value.integer()) return SelectionKey{false, *integer};
    if (const auto at = date_time(value)) return SelectionKey{true, epoch_us(at->at)};
    return std::nullopt;
}

Resolved resolve(const Selection& selection, std::span<const CaptureObject> columns) {
    if (const auto* range = std::get_if<RangeSelection>(&selection)) return resolve_range(*range, columns);
    if (const auto* entry = std::get_if<EntrySelection>(&selection))
        return resolve_entry(*entry, columns.size());
    ResolvedSelection resolved;
    resolved.columns = all_columns(columns.size());
    return resolved;
}

bool selects(const ResolvedSelection& selection, const Data& row) {
    if (!selection.range) return true;
    const auto* values = row.elements();
    if (!values || selection.range->column >= values->size()) return false;
    const auto key = selection_key((*values)[selection.range->column]);
    if (!key) return false;
    const auto& [column, from, to] = *selection.range;
    if (from && (from->time != key->time || key->value < from->value)) return false;
    return !to || (to->time == key->time && key->value <= to->value);
}

Data cut(const ResolvedSelection& selection, const Data& row) {
    const auto* values = row.elements();
    Structure chosen;
    for (const std::size_t column : selection.columns)
        chosen.elements.push_back(values && column < values->size() ? (*values)[column] : Data{});
    return chosen;
}

ReadOutcome select_rows(std::span<const Data> rows, std::span<const CaptureObject> columns,
                        const Selection& selection) {
    const Resolved resolved = resolve(selection, columns);
    if (const auto* refused = std::get_if<AccessResult>(&resolved)) return *refused;
    const auto& chosen = std::get<ResolvedSelection>(resolved);
    Array answer;
    std::uint64_t entry = 0;
    for (const Data& row : rows) {
        ++entry;
        if (entry < chosen.entry_from || entry > chosen.entry_to || !selects(chosen, row)) continue;
        answer.elements.push_back(cut(chosen, row));
    }
    return Data{std::move(answer)};
}

}  // namespace wattmesh::dlms
