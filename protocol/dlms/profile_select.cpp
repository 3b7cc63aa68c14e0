#include "protocol/dlms/profile_select.h"

#include <algorithm>
#include <cassert>

namespace wattmesh::dlms {

namespace {

using Resolved = std::variant<ResolvedSelection, AccessResult>;

constexpr std::uint16_t class_clock = 8;
constexpr std::int8_t attribute_value = 2;

bool is_clock(const CaptureObject& column) { return column.class_id == class_clock; }

std::optional<std::size_t> column_of(const CaptureObject& wanted, std::span<const CaptureObject> columns,
                                     const Quirks& quirks) {
    const auto found =
        std::ranges::find_if(columns, [&](const CaptureObject& c) { return names(wanted, c, quirks); });
    if (found == columns.end()) return std::nullopt;
    return static_cast<std::size_t>(found - columns.begin());
}

std::optional<std::size_t> restricting_column(const CaptureObject& wanted,
                                              std::span<const CaptureObject> columns, const Quirks& quirks) {
    const auto found = column_of(wanted, columns, quirks);
    if (found || !quirks.sort_column_not_first || !is_clock(wanted)) return found;
    const auto sorted_by = sort_column(columns, quirks);
    return sorted_by && is_clock(columns[*sorted_by]) ? sorted_by : std::nullopt;
}

std::vector<std::size_t> all_columns(std::size_t count) {
    std::vector<std::size_t> columns(count);
    for (std::size_t i = 0; i < count; ++i) columns[i] = i;
    return columns;
}

/// A null bound is open; false when the bound has no order.
bool set_bound(std::optional<SelectionKey>& bound, const Data& value, const ClockModel& clock) {
    if (value.as<Null>()) return true;
    bound = selection_key(value, clock);
    return bound.has_value();
}

Resolved resolve_range(const RangeSelection& selection, std::span<const CaptureObject> columns,
                       const Quirks& quirks, const ClockModel& clock) {
    ResolvedSelection resolved;
    const auto restricting = restricting_column(selection.restricting, columns, quirks);
    if (!restricting) return AccessResult::scope_of_access_violated;
    ResolvedSelection::Range range{.column = *restricting, .from = {}, .to = {}};
    if (!set_bound(range.from, selection.from, clock) || !set_bound(range.to, selection.to, clock))
        return AccessResult::type_unmatched;
    if (range.from && range.to && range.from->time != range.to->time) return AccessResult::type_unmatched;
    resolved.range = range;
    if (selection.columns.empty()) resolved.columns = all_columns(columns.size());
    // More columns than the profile has would only repeat some.
    if (selection.columns.size() > columns.size()) return AccessResult::scope_of_access_violated;
    for (const CaptureObject& wanted : selection.columns) {
        const auto column = column_of(wanted, columns, quirks);
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

std::optional<SelectionKey> selection_key(const Data& value, const ClockModel& clock) {
    if (const auto integer = value.integer()) return SelectionKey{false, *integer};
    if (const auto at = date_time(value, clock)) return SelectionKey{true, epoch_us(at->at)};
    return std::nullopt;
}

bool names(const CaptureObject& wanted, const CaptureObject& column, const Quirks& quirks) {
    if (wanted == column) return true;
    if (!quirks.capture_attribute_255) return false;
    const auto plain = [](CaptureObject object) {
        if (object.attribute == -1 || object.attribute == 0) object.attribute = attribute_value;
        return object;
    };
    return plain(wanted) == plain(column);
}

std::optional<std::size_t> sort_column(std::span<const CaptureObject> columns, const Quirks& quirks) {
    if (columns.empty()) return std::nullopt;
    if (!quirks.sort_column_not_first) return 0;
    const auto found = std::ranges::find_if(columns, is_clock);
    return found == columns.end() ? 0 : static_cast<std::size_t>(found - columns.begin());
}

std::optional<RangeSelection> range_between(std::span<const CaptureObject> columns, const DateTime& from,
                                            const DateTime& to, InstantForm form, const Quirks& quirks,
                                            std::span<const std::size_t> chosen) {
    const auto sorted_by = sort_column(columns, quirks);
    if (!sorted_by || !is_clock(columns[*sorted_by])) return std::nullopt;
    const auto bound = form == InstantForm::octet_string ? date_time_octets : date_time_tagged;
    RangeSelection range{
        .restricting = columns[*sorted_by], .from = bound(from), .to = bound(to), .columns = {}};
    for (const std::size_t column : chosen) {
        assert(column < columns.size());
        range.columns.push_back(columns[column]);
    }
    return range;
}

Resolved resolve(const Selection& selection, std::span<const CaptureObject> columns, const Quirks& quirks,
                 const ClockModel& clock) {
    Resolved answer = AccessResult::success;
    if (const auto* range = std::get_if<RangeSelection>(&selection)) {
        answer = resolve_range(*range, columns, quirks, clock);
    } else if (const auto* entry = std::get_if<EntrySelection>(&selection)) {
        answer = resolve_entry(*entry, columns.size());
    } else {
        ResolvedSelection resolved;
        resolved.columns = all_columns(columns.size());
        answer = std::move(resolved);
    }
    if (auto* resolved = std::get_if<ResolvedSelection>(&answer)) resolved->clock = clock;
    return answer;
}

bool selects(const ResolvedSelection& selection, const Data& row) {
    if (!selection.range) return true;
    const auto* values = row.elements();
    if (!values || selection.range->column >= values->size()) return false;
    const auto key = selection_key((*values)[selection.range->column], selection.clock);
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
                        const Selection& selection, const Quirks& quirks, const ClockModel& clock) {
    const Resolved resolved = resolve(selection, columns, quirks, clock);
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
