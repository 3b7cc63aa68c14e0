#include <algorithm>
#include <bit>
#include <cassert>
#include <utility>

#include "protocol/dlms/data.h"
#include "protocol/dlms/data_tag.h"
#include "protocol/dlms/profile_columns.h"

namespace wattmesh::dlms {

namespace {

constexpr std::size_t clock_size = 12;

/// Octets of a cell that has a value: tag, length where there is one, value.
std::size_t cell_size(ColumnKind kind, std::uint8_t tag) {
    if (kind == ColumnKind::skipped) return 1;
    switch (tag) {
        case tag::octet_string:
            return 2 + clock_size;
        case tag::date_time:
            return 1 + clock_size;
        case tag::boolean:
        case tag::bcd:
        case tag::enumeration:
        case tag::int8:
        case tag::uint8:
            return 2;
        case tag::int16:
        case tag::uint16:
            return 3;
        case tag::int32:
        case tag::uint32:
        case tag::float32:
            return 5;
        default:
            assert(tag == tag::int64 || tag == tag::uint64 || tag == tag::float64);
            return 9;
    }
}

std::size_t row_count(std::span<const Column> columns) {
    for (const Column& column : columns)
        if (column.kind != ColumnKind::skipped) return column.cells.size();
    return 0;
}

template <class T>
std::uint8_t* store(std::uint8_t* out, T value) {
    for (std::size_t i = 0; i < sizeof(T); ++i)
        out[i] = static_cast<std::uint8_t>(value >> (8 * (sizeof(T) - 1 - i)));
    return out + sizeof(T);
}

template <class T>
std::uint8_t* put(std::uint8_t* out, std::int64_t value) {
    assert(std::in_range<T>(value));
    return store(out, static_cast<std::make_unsigned_t<T>>(value));
}

std::uint8_t* put_integer(std::uint8_t* out, std::uint8_t tag, std::int64_t value) {
    switch (tag) {
        case tag::int8:
            return put<std::int8_t>(out, value);
        case tag::int16:
            return put<std::int16_t>(out, value);
        case tag::uint16:
            return put<std::uint16_t>(out, value);
        case tag::int32:
            return put<std::int32_t>(out, value);
        case tag::uint32:
            return put<std::uint32_t>(out, value);
        case tag::int64:
            return put<std::int64_t>(out, value);
        case tag::uint64:
            return put<std::uint64_t>(out, value);
        default:
            assert(tag != tag::boolean || value == 0 || value == 1);
            return put<std::uint8_t>(out, value);
    }
}

std::uint8_t* put_clock(std::uint8_t* out, std::uint8_t tag, const DateTime& value, DateTimeEncoder& clock) {
    if (tag == tag::octet_string) *out++ = clock_size;
    clock.encode(value, std::span<std::uint8_t, clock_size>{out, clock_size});
    return out + clock_size;
}

/// A cell that has a value.
std::uint8_t* put_cell(std::uint8_t* out, const Column& column, std::uint8_t tag, std::size_t row,
                       DateTimeEncoder& clock) {
    *out++ = tag;
    if (column.kind == ColumnKind::integer) return put_integer(out, tag, column.integers[row]);
    if (column.kind == ColumnKind::clock)
        return put_clock(out, tag, {column.at[row], column.deviation_minutes[row], column.status[row]},
                         clock);
    const double value = column.reals[row];
    if (tag == tag::float32) return store(out, std::bit_cast<std::uint32_t>(static_cast<float>(value)));
    return store(out, std::bit_cast<std::uint64_t>(value));
}

bool is_kept(const Column& column, std::size_t row) {
    return column.kind != ColumnKind::skipped && has_value(column.cells[row]);
}

bool fits(ColumnKind kind, std::uint8_t tag) {
    const bool clock = tag == tag::octet_string || tag == tag::date_time;
    const bool real = tag == tag::float32 || tag == tag::float64;
    if (kind == ColumnKind::skipped) return true;
    return clock == (kind == ColumnKind::clock) && real == (kind == ColumnKind::real);
}

}  // namespace

void encode_rows(std::span<const Column> columns, std::span<const std::uint8_t> tags, Buffer& out,
                 Bytes head) {
    assert(columns.size() == tags.size());
    const std::size_t rows = row_count(columns);
    Writer array_head, row_head;
    array_head.bytes(head).u8(tag::array);
    encode_length(array_head, rows);
    row_head.u8(tag::structure);
    encode_length(row_head, columns.size());
    std::size_t size = array_head.size() + rows * row_head.size();
    for (std::size_t i = 0; i < columns.size(); ++i) {
        const Column& column = columns[i];
        assert(fits(column.kind, tags[i]));
        assert(column.kind == ColumnKind::skipped || column.cells.size() == rows);
        const auto kept = static_cast<std::size_t>(std::ranges::count_if(column.cells, has_value));
        size += kept * cell_size(column.kind, tags[i]) + (rows - kept);
    }
    out.resize(size);
    DateTimeEncoder clock;
    std::uint8_t* at = std::ranges::copy(array_head.view(), out.data()).out;
    for (std::size_t row = 0; row < rows; ++row) {
        at = std::ranges::copy(row_head.view(), at).out;
        for (std::size_t i = 0; i < columns.size(); ++i) {
            if (is_kept(columns[i], row))
                at = put_cell(at, columns[i], tags[i], row, clock);
            else
                *at++ = tag::dont_care;
        }
    }
    assert(at == out.data() + out.size());
}

}  // namespace wattmesh::dlms
