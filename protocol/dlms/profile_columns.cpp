#include "protocol/dlms/profile_columns.h"

#include <algorithm>
#include <cassert>

#include "protocol/dlms/column_cells.h"
#include "protocol/dlms/data.h"
#include "protocol/dlms/data_tag.h"

namespace wattmesh::dlms {

ProfileColumns::ProfileColumns(ColumnPlan plan)
    : plan_(std::move(plan)),
      columns_(plan_.kinds.size()),
      layout_(plan_.kinds, plan_.quirks),
      clock_(plan_.clock) {
    assert(!plan_.kinds.empty() && plan_.capture_period >= Duration{0});
    for (std::size_t i = 0; i < columns_.size(); ++i) columns_[i].kind = plan_.kinds[i];
}

void ProfileColumns::resize(std::size_t rows) {
    for (Column& column : columns_) {
        if (column.kind == ColumnKind::skipped) continue;
        column.cells.resize(rows);
        if (column.kind == ColumnKind::integer) column.integers.resize(rows);
        if (column.kind == ColumnKind::real) column.reals.resize(rows);
        if (column.kind != ColumnKind::clock) continue;
        column.at.resize(rows);
        column.deviation_minutes.resize(rows);
        column.status.resize(rows);
    }
}

void ProfileColumns::extract(const std::uint8_t* first, std::size_t run) {
    for (std::size_t i = 0; i < columns_.size(); ++i) {
        Column& column = columns_[i];
        const auto& cell = layout_.cells()[i];
        const detail::CellRun cells{cell, first + cell.at, layout_.size(), rows_, rows_ + run};
        if (column.kind == ColumnKind::clock)
            detail::extract_clocks(column, cells, clock_, plan_.capture_period);
        else if (column.kind == ColumnKind::integer)
            detail::extract_integers(column, cells);
        else if (column.kind == ColumnKind::real)
            detail::extract_reals(column, cells);
    }
    rows_ += run;
}

/// Takes the next row and those behind it that have its layout, while there are fewer than `rows_end`.
void ProfileColumns::take_rows(Reader& in, std::size_t rows_end) {
    const Bytes octets = Reader{in}.rest();
    layout_.read(in);
    if (!in.ok()) return;
    assert(rows_ < rows_end);
    const std::size_t run = layout_.run(octets, rows_end - rows_);
    extract(octets.data(), run);
    in.skip((run - 1) * layout_.size());
}

void ProfileColumns::decode_array(Reader& in) {
    layout_.forget_types();
    const std::size_t count = decode_length(in);
    if (in.ok() && count > in.remaining()) in.fail(Fault::truncated);
    if (in.ok() && count > plan_.rows_max) in.fail_at(Fault::too_long, 0);
    // The shortest row gives the bound of what is allocated.
    std::size_t rows_end = std::min(count, in.remaining() / layout_.size_min());
    resize(rows_end);
    while (in.ok() && rows_ < count) take_rows(in, rows_end);
    if (plan_.quirks.more_rows_than_counted && in.remaining() > 0) {
        rows_end = std::min(plan_.rows_max, rows_ + in.remaining() / layout_.size_min());
        resize(rows_end);
        while (in.remaining() > 0) {
            if (rows_ == plan_.rows_max) return in.fail(Fault::too_long);
            take_rows(in, rows_end);
        }
    }
    in.expect_end();
}

void ProfileColumns::decode_compact_array(Reader& in) {
    const std::size_t type_at = in.position();
    layout_.read_types(in);
    const std::size_t size = decode_length(in);
    const std::size_t from = in.position();
    const Bytes contents = in.bytes(size);
    in.expect_end();
    if (in.ok() && size > 0 && layout_.size_min() == 0) in.fail_at(Fault::bad_value, type_at);
    if (!in.ok() || size == 0) return;
    const std::size_t rows_end = std::min(plan_.rows_max, size / layout_.size_min());
    resize(rows_end);
    Reader inside{contents, from};
    while (inside.remaining() > 0) {
        if (rows_ == plan_.rows_max)
            inside.fail(Fault::too_long);
        else
            take_rows(inside, rows_end);
    }
    if (inside.error()) in.fail_at(inside.error()->fault, inside.error()->offset);
}

Result<std::size_t> ProfileColumns::decode(Bytes buffer, std::size_t base) {
    Reader in{buffer, base};
    rows_ = 0;
    const std::uint8_t tag = in.u8();
    if (in.ok() && tag == tag::array)
        decode_array(in);
    else if (in.ok() && tag == tag::compact_array)
        decode_compact_array(in);
    else
        in.fail_at(Fault::bad_tag, 0);
    if (!in.ok()) rows_ = 0;
    resize(rows_);
    if (in.error()) return *in.error();
    return rows_;
}

}  // namespace wattmesh::dlms
