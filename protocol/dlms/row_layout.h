#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "protocol/base/reader.h"
#include "protocol/dlms/quirks.h"

namespace wattmesh::dlms {

/// What a column of a profile is taken as.
enum class ColumnKind : std::uint8_t {
    clock,    ///< date-time, as octet-string(12) or date-time
    integer,  ///< any integer type, enum, BCD, boolean (0, 1), bit-string up to 56 bits (first bit highest),
              ///< delta
    real,     ///< float32, float64
    skipped,  ///< anything; not kept
};

/// Where the cells of one encoded row lie, and what of it must be the same in the next row for the next one
/// to have the same layout: all tags and lengths.
class RowLayout {
public:
    struct CellLayout {
        std::uint8_t tag = 0;
        std::uint8_t unused_bits = 0;  ///< of a bit-string's last octet
        std::size_t at = 0;            ///< first octet of the value, from the start of the row
        std::size_t size = 0;          ///< octets of the value
    };

    RowLayout(std::span<const ColumnKind> kinds, const Quirks& quirks)
        : kinds_(kinds.begin(), kinds.end()), quirks_(quirks), cells_(kinds.size()) {}

    /// The type description of a compact array, behind its tag: the rows then have no tags. The fault stays
    /// in the reader.
    void read_types(Reader& in);
    /// Rows with tags from now on.
    void forget_types() { compact_ = false; }
    /// Octets that a row takes at least, 0 only for a compact array of nothing.
    std::size_t size_min() const;

    /// Reads one row; the fault stays in the reader.
    void read(Reader& in);
    std::span<const CellLayout> cells() const { return cells_; }
    std::size_t size() const { return size_; }
    /// How many of at most `rows_max` rows from `first`, which was read, have this layout; `octets` is what
    /// there is from `first` on.
    std::size_t run(Bytes octets, std::size_t rows_max) const;

private:
    void read_cell(Reader& in, std::size_t column, std::size_t row_start);
    void read_type(Reader& in, ColumnKind kind);
    bool takes(ColumnKind kind, std::uint8_t tag) const;
    void shape(std::size_t to);
    void value(std::size_t to);

    std::vector<ColumnKind> kinds_;
    Quirks quirks_;
    std::vector<CellLayout> cells_;
    std::vector<std::uint8_t> types_;  ///< tags of a compact array's columns
    std::vector<std::uint8_t> mask_;   ///< per octet of the row: FF belongs to the layout, 0 to a value
    std::size_t size_ = 0;
    bool compact_ = false;
    bool repeatable_ = false;
};

}  // namespace wattmesh::dlms
