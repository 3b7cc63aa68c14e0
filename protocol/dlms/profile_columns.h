#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "protocol/base/bytes.h"
#include "protocol/base/result.h"
#include "protocol/base/time.h"
#include "protocol/dlms/date_time.h"
#include "protocol/dlms/date_time_codec.h"
#include "protocol/dlms/quirks.h"
#include "protocol/dlms/row_layout.h"

namespace wattmesh::dlms {

/// How a cell came to its value. Source: Blue Book ed. 14, 4.3.6 (Profile generic, buffer).
enum class Cell : std::uint8_t {
    given,    ///< the row says it
    derived,  ///< null-data or a delta: from the row before, which has a value
    missing,  ///< dont-care, an empty clock, null-data with no value before; the value is 0
    invalid,  ///< a clock that fixes no instant, a delta to nothing, a number beyond int64; the value is 0
};
inline bool has_value(Cell cell) { return cell <= Cell::derived; }

/// One column of decoded rows; of the vectors those that the kind names have an element per row.
struct Column {
    ColumnKind kind = ColumnKind::skipped;
    std::vector<Cell> cells;                      ///< every kind but skipped
    std::vector<Instant> at;                      ///< clock: UTC
    std::vector<std::int16_t> deviation_minutes;  ///< clock, as in DateTime
    std::vector<std::uint8_t> status;             ///< clock, as in DateTime
    std::vector<std::int64_t> integers;           ///< integer
    std::vector<double> reals;                    ///< real
};

/// What the rows of a profile are taken as.
struct ColumnPlan {
    std::vector<ColumnKind> kinds;  ///< at least one; every row has exactly these columns
    Duration capture_period{};      ///< what a null clock is later than the clock before, not negative
    ClockModel clock = utc_clock;
    Quirks quirks{};  ///< tagged_date_time, more_rows_than_counted
    std::size_t rows_max = 65'536;
};

/// Decodes the buffer of a profile straight into typed columns, without a tree of Data. Keeps its memory from
/// one decode to the next: once it has seen as many rows, a decode allocates nothing. Rows that look like the
/// row before (same tags and lengths) are recognised by one masked comparison and taken column by column.
class ProfileColumns {
public:
    explicit ProfileColumns(ColumnPlan plan);

    /// `buffer` is one encoded value: an array of structures or a compact array. Returns the number of rows.
    /// Faults: bad_tag (no rows, or a column of another kind), bad_value (number of columns, a clock that has
    /// not 12 octets), truncated, too_long (more than rows_max), trailing, too_deep (a skipped value),
    /// unsupported (a compact array of nested types); `base` is added to their offset. After a fault there
    /// are no rows.
    Result<std::size_t> decode(Bytes buffer, std::size_t base = 0);

    std::size_t rows() const { return rows_; }
    std::span<const Column> columns() const { return columns_; }
    const ColumnPlan& plan() const { return plan_; }

private:
    void decode_array(Reader& in);
    void decode_compact_array(Reader& in);
    void take_rows(Reader& in, std::size_t rows_end);
    void extract(const std::uint8_t* first, std::size_t run);
    void resize(std::size_t rows);

    ColumnPlan plan_;
    std::vector<Column> columns_;
    RowLayout layout_;
    DateTimeDecoder clock_;
    std::size_t rows_ = 0;
};

/// Encodes columns as an array of structures behind `head` into `out`, which is overwritten. `tags`
/// (data_tag.h) names the type of each column: octet_string or date_time for a clock, an integer type other
/// than bit-string, float32 or float64; skipped columns and cells without a value go out as dont-care.
/// Asserts that every value fits its type.
void encode_rows(std::span<const Column> columns, std::span<const std::uint8_t> tags, Buffer& out,
                 Bytes head = {});

}  // namespace wattmesh::dlms
