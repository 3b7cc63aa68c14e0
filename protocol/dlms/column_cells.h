#pragma once
#include "protocol/dlms/profile_columns.h"

/// Inside of profile_columns.cpp; no other file includes this.
namespace wattmesh::dlms::detail {

/// The same cell of rows that have one layout.
struct CellRun {
    const RowLayout::CellLayout& layout;
    const std::uint8_t* octets;  ///< the cell's value in the first of the rows
    std::size_t stride;          ///< octets from row to row
    std::size_t begin, end;      ///< rows

    const std::uint8_t* value(std::size_t row) const { return octets + (row - begin) * stride; }
};

/// Fill rows [begin, end) of a column that has that many. The rows before are final.
void extract_clocks(Column& column, const CellRun& run, DateTimeDecoder& clock, Duration capture_period);
void extract_integers(Column& column, const CellRun& run);
void extract_reals(Column& column, const CellRun& run);

}  // namespace wattmesh::dlms::detail
