#include <cassert>

#include "protocol/dlms/data.h"
#include "protocol/dlms/profile_columns.h"
#include "protocol/dlms/profile_expand.h"

/// The first octet names quirks and columns, the rest is a buffer. What decodes has as many cells as rows,
/// decodes the same again, and says what the tree says.
namespace {

using namespace wattmesh;

void compare(const dlms::ProfileColumns& columns, Bytes bytes) {
    const auto tree = dlms::decode_data(bytes);
    if (!tree) return;  // other limits, or a quirk
    const auto expanded = dlms::expand_rows(*tree, columns.plan().capture_period);
    if (!expanded || expanded->elements()->size() != columns.rows()) return;
    for (std::size_t row = 0; row < columns.rows(); ++row) {
        const auto& cells = *(*expanded->elements())[row].elements();
        for (std::size_t i = 0; i < cells.size(); ++i) {
            const auto& column = columns.columns()[i];
            if (column.kind != dlms::ColumnKind::integer || !cells[i].integer()) continue;
            assert(column.integers[row] == cells[i].integer());
        }
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using dlms::ColumnKind;
    if (size == 0) return 0;
    const Bytes bytes{data + 1, size - 1};
    dlms::ColumnPlan plan{.kinds = {}, .capture_period = std::chrono::minutes{15}, .rows_max = 1'000};
    plan.quirks.tagged_date_time = (data[0] & 0x01) != 0;
    plan.quirks.more_rows_than_counted = (data[0] & 0x02) != 0;
    plan.clock.deviation_minutes = (data[0] & 0x04) != 0 ? std::int16_t{-60} : std::int16_t{0};
    const ColumnKind kinds[] = {ColumnKind::clock,   ColumnKind::integer, ColumnKind::integer,
                                ColumnKind::integer, ColumnKind::real,    ColumnKind::skipped};
    const std::size_t first = (data[0] & 0x08) != 0 ? 1 : 0, count = 1 + (data[0] >> 4) % (6 - first);
    plan.kinds.assign(kinds + first, kinds + first + count);
    dlms::ProfileColumns columns{plan};
    const auto rows = columns.decode(bytes);
    const auto integers = columns.columns().back().integers;
    const auto again = columns.decode(bytes);
    assert(rows.has_value() == again.has_value() && integers == columns.columns().back().integers);
    for (const auto& column : columns.columns())
        assert(column.kind == ColumnKind::skipped || column.cells.size() == columns.rows());
    if (!rows) return 0;
    if (plan.quirks == dlms::Quirks{}) compare(columns, bytes);
    Buffer out;
    const std::uint8_t tags[] = {0x09, 0x14, 0x14, 0x14, 0x18, 0xFF};
    dlms::encode_rows(columns.columns(), std::span{tags}.subspan(first, count), out);
    assert(columns.decode(out));
    return 0;
}
