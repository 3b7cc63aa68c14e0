#include "protocol/dlms/column_cells.h"

#include <algorithm>
#include <bit>
#include <limits>

#include "protocol/dlms/data_tag.h"

namespace wattmesh::dlms::detail {

namespace {

/// The end of the years that a date-time can tell; a derived clock beyond it fixes no instant.
constexpr Instant instant_max = std::chrono::sys_days{std::chrono::year{9'999} / 12 / 31};

template <class T>
T load(const std::uint8_t* p) {
    if constexpr (sizeof(T) == 1)
        return static_cast<T>(p[0]);
    else if constexpr (sizeof(T) == 2)
        return static_cast<T>(p[0] << 8 | p[1]);
    else if constexpr (sizeof(T) == 4)
        return static_cast<T>(std::uint32_t{p[0]} << 24 | std::uint32_t{p[1]} << 16 |
                              std::uint32_t{p[2]} << 8 | p[3]);
    else
        return static_cast<T>(std::uint64_t{load<std::uint32_t>(p)} << 32 | load<std::uint32_t>(p + 4));
}

void fill(std::vector<Cell>& cells, const CellRun& run, Cell cell) {
    std::fill(cells.data() + run.begin, cells.data() + run.end, cell);
}

/// What null-data makes of the cell before.
Cell repeated(const std::vector<Cell>& cells, std::size_t row) {
    if (row == 0) return Cell::missing;
    return has_value(cells[row - 1]) ? Cell::derived : cells[row - 1];
}

template <class T>
void repeat(std::vector<T>& values, const CellRun& run) {
    std::fill(values.data() + run.begin, values.data() + run.end,
              run.begin > 0 ? values[run.begin - 1] : T{});
}

template <class T>
void take_integers(Column& column, const CellRun& run) {
    std::int64_t* values = column.integers.data();
    const std::uint8_t* octets = run.octets;
    for (std::size_t row = run.begin; row < run.end; ++row, octets += run.stride)
        values[row] = static_cast<std::int64_t>(load<T>(octets));
    fill(column.cells, run, Cell::given);
}

void take_uint64(Column& column, const CellRun& run) {
    for (std::size_t row = run.begin; row < run.end; ++row) {
        const auto value = load<std::uint64_t>(run.value(row));
        const bool fits = std::in_range<std::int64_t>(value);
        column.integers[row] = fits ? static_cast<std::int64_t>(value) : 0;
        column.cells[row] = fits ? Cell::given : Cell::invalid;
    }
}

template <class T>
void take_deltas(Column& column, const CellRun& run) {
    for (std::size_t row = run.begin; row < run.end; ++row) {
        column.integers[row] = 0;
        column.cells[row] = Cell::invalid;
        if (row == 0 || !has_value(column.cells[row - 1])) continue;
        const std::int64_t before = column.integers[row - 1];
        const std::int64_t delta = load<T>(run.value(row));
        using Limits = std::numeric_limits<std::int64_t>;
        if (delta > 0 ? before > Limits::max() - delta : before < Limits::min() - delta) continue;
        column.integers[row] = before + delta;
        column.cells[row] = Cell::derived;
    }
}

void take_bits(Column& column, const CellRun& run) {
    constexpr std::size_t size_max = 7;
    const std::size_t size = run.layout.size;
    for (std::size_t row = run.begin; row < run.end; ++row) {
        std::int64_t value = 0;
        if (size <= size_max)
            for (const std::uint8_t octet : Bytes{run.value(row), size}) value = value << 8 | octet;
        column.integers[row] = value >> run.layout.unused_bits;
    }
    fill(column.cells, run, size <= size_max ? Cell::given : Cell::invalid);
}

void take_booleans(Column& column, const CellRun& run) {
    for (std::size_t row = run.begin; row < run.end; ++row) column.integers[row] = *run.value(row) != 0;
    fill(column.cells, run, Cell::given);
}

/// Null-data or dont-care in a column of plain values.
template <class T>
void without_value(Column& column, std::vector<T>& values, const CellRun& run) {
    if (run.layout.tag == tag::null) {
        fill(column.cells, run, repeated(column.cells, run.begin));
        repeat(values, run);
        return;
    }
    fill(column.cells, run, Cell::missing);
    std::fill(values.data() + run.begin, values.data() + run.end, T{});
}

void set_clock(Column& column, std::size_t row, const DateTime& value, Cell cell) {
    column.at[row] = value.at;
    column.deviation_minutes[row] = value.deviation_minutes;
    column.status[row] = value.status;
    column.cells[row] = cell;
}

void derive_clocks(Column& column, const CellRun& run, Duration capture_period) {
    for (std::size_t row = run.begin; row < run.end; ++row) {
        const Cell cell = repeated(column.cells, row);
        if (cell != Cell::derived) {
            set_clock(column, row, {}, cell);
            continue;
        }
        const bool fits = capture_period <= instant_max - column.at[row - 1];
        if (fits)
            set_clock(column, row,
                      {column.at[row - 1] + capture_period, column.deviation_minutes[row - 1],
                       column.status[row - 1]},
                      cell);
        else
            set_clock(column, row, {}, Cell::invalid);
    }
}

}  // namespace

void extract_clocks(Column& column, const CellRun& run, DateTimeDecoder& clock, Duration capture_period) {
    if (run.layout.tag == tag::null) return derive_clocks(column, run, capture_period);
    constexpr std::size_t clock_size = 12;
    if (run.layout.size != clock_size) {  // dont-care, or a string of no octets
        for (std::size_t row = run.begin; row < run.end; ++row) set_clock(column, row, {}, Cell::missing);
        return;
    }
    const std::uint8_t* octets = run.octets;
    for (std::size_t row = run.begin; row < run.end; ++row, octets += run.stride) {
        DateTime value;
        const bool fixed = clock.decode(std::span<const std::uint8_t, clock_size>{octets, clock_size}, value);
        set_clock(column, row, value, fixed ? Cell::given : Cell::invalid);
    }
}

void extract_integers(Column& column, const CellRun& run) {
    switch (run.layout.tag) {
        case tag::boolean:
            return take_booleans(column, run);
        case tag::bit_string:
            return take_bits(column, run);
        case tag::int8:
            return take_integers<std::int8_t>(column, run);
        case tag::int16:
            return take_integers<std::int16_t>(column, run);
        case tag::int32:
            return take_integers<std::int32_t>(column, run);
        case tag::int64:
            return take_integers<std::int64_t>(column, run);
        case tag::bcd:
        case tag::enumeration:
        case tag::uint8:
            return take_integers<std::uint8_t>(column, run);
        case tag::uint16:
            return take_integers<std::uint16_t>(column, run);
        case tag::uint32:
            return take_integers<std::uint32_t>(column, run);
        case tag::uint64:
            return take_uint64(column, run);
        case tag::delta_int8:
            return take_deltas<std::int8_t>(column, run);
        case tag::delta_int16:
            return take_deltas<std::int16_t>(column, run);
        case tag::delta_int32:
            return take_deltas<std::int32_t>(column, run);
        case tag::delta_uint8:
            return take_deltas<std::uint8_t>(column, run);
        case tag::delta_uint16:
            return take_deltas<std::uint16_t>(column, run);
        case tag::delta_uint32:
            return take_deltas<std::uint32_t>(column, run);
        default:
            return without_value(column, column.integers, run);
    }
}

void extract_reals(Column& column, const CellRun& run) {
    const bool single = run.layout.tag == tag::float32;
    if (!single && run.layout.tag != tag::float64) return without_value(column, column.reals, run);
    for (std::size_t row = run.begin; row < run.end; ++row) {
        const std::uint8_t* octets = run.value(row);
        column.reals[row] = single ? double{std::bit_cast<float>(load<std::uint32_t>(octets))}
                                   : std::bit_cast<double>(load<std::uint64_t>(octets));
    }
    fill(column.cells, run, Cell::given);
}

}  // namespace wattmesh::dlms::detail
