#include "protocol/dlms/row_layout.h"

#include <algorithm>
#include <cstring>

#include "protocol/dlms/data.h"
#include "protocol/dlms/data_tag.h"

namespace wattmesh::dlms {

namespace {

constexpr std::size_t depth_max = 16;
/// Longer rows are read one by one: nothing is gained by comparing them.
constexpr std::size_t mask_size_max = 1'024;
constexpr std::size_t clock_size = 12;
/// The quirk tagged_date_time: the length of a clock where its tag should be.
constexpr std::uint8_t bare_clock = 0x0C;

constexpr int sized = -1, nested = -2, unknown = -3;

/// Octets of a value behind its tag, or what it is instead.
int size_of(std::uint8_t tag) {
    switch (tag) {
        case tag::null:
        case tag::dont_care:
            return 0;
        case tag::boolean:
        case tag::bcd:
        case tag::int8:
        case tag::uint8:
        case tag::enumeration:
        case tag::delta_int8:
        case tag::delta_uint8:
            return 1;
        case tag::int16:
        case tag::uint16:
        case tag::delta_int16:
        case tag::delta_uint16:
            return 2;
        case tag::int32:
        case tag::uint32:
        case tag::float32:
        case tag::time:
        case tag::delta_int32:
        case tag::delta_uint32:
            return 4;
        case tag::date:
            return 5;
        case tag::int64:
        case tag::uint64:
        case tag::float64:
            return 8;
        case tag::date_time:
            return clock_size;
        case tag::bit_string:
        case tag::octet_string:
        case tag::visible_string:
        case tag::utf8_string:
            return sized;
        case tag::array:
        case tag::structure:
        case tag::compact_array:
            return nested;
        default:
            return unknown;
    }
}

std::size_t octets_of(std::uint8_t tag, std::size_t length) {
    return tag == tag::bit_string ? (length + 7) / 8 : length;
}

void skip_type(Reader& in, std::size_t depth_left) {
    const std::size_t start = in.position();
    const std::uint8_t tag = in.u8();
    if (!in.ok() || (size_of(tag) >= 0 || size_of(tag) == sized)) return;
    if (size_of(tag) == unknown || tag == tag::compact_array) return in.fail_at(Fault::bad_tag, start);
    if (depth_left == 0) return in.fail_at(Fault::too_deep, start);
    if (tag == tag::array) {
        in.skip(2);
        return skip_type(in, depth_left - 1);
    }
    for (std::size_t count = decode_length(in); count > 0 && in.ok(); --count) skip_type(in, depth_left - 1);
}

/// Passes over one value. Every element takes an octet, so the time is bounded by the octets.
void skip_value(Reader& in, std::uint8_t tag, std::size_t start, std::size_t depth_left) {
    const int size = size_of(tag);
    if (size >= 0) return in.skip(static_cast<std::size_t>(size));
    if (size == sized) return in.skip(octets_of(tag, decode_length(in)));
    if (size == unknown) return in.fail_at(Fault::bad_tag, start);
    if (depth_left == 0) return in.fail_at(Fault::too_deep, start);
    if (tag == tag::compact_array) {
        skip_type(in, depth_left - 1);
        return in.skip(decode_length(in));
    }
    const std::size_t count = decode_length(in);
    if (in.ok() && count > in.remaining()) in.fail(Fault::truncated);
    for (std::size_t i = 0; i < count && in.ok(); ++i) {
        const std::size_t at = in.position();
        const std::uint8_t element = in.u8();
        if (in.ok()) skip_value(in, element, at, depth_left - 1);
    }
}

std::uint64_t load(const std::uint8_t* octets) {
    std::uint64_t word;
    std::memcpy(&word, octets, sizeof word);
    return word;
}

/// Whether a and b are the same where the mask is set; all three have `size` octets.
bool same_layout(const std::uint8_t* a, const std::uint8_t* b, const std::uint8_t* mask, std::size_t size) {
    constexpr std::size_t word = sizeof(std::uint64_t);
    if (size < word) {
        for (std::size_t i = 0; i < size; ++i)
            if (((a[i] ^ b[i]) & mask[i]) != 0) return false;
        return true;
    }
    std::uint64_t difference = 0;
    for (std::size_t i = 0; i + word <= size; i += word)
        difference |= (load(a + i) ^ load(b + i)) & load(mask + i);
    const std::size_t last = size - word;
    return (difference | ((load(a + last) ^ load(b + last)) & load(mask + last))) == 0;
}

}  // namespace

bool RowLayout::takes(ColumnKind kind, std::uint8_t tag) const {
    if (tag == tag::null || tag == tag::dont_care) return true;
    switch (kind) {
        case ColumnKind::clock:
            return tag == tag::octet_string || tag == tag::date_time ||
                   (quirks_.tagged_date_time && tag == bare_clock);
        case ColumnKind::integer:
            return tag == tag::boolean || tag == tag::bit_string || tag == tag::int32 || tag == tag::uint32 ||
                   tag == tag::bcd || (tag >= tag::int8 && tag <= tag::uint16) || tag == tag::int64 ||
                   tag == tag::uint64 || tag == tag::enumeration ||
                   (tag >= tag::delta_int8 && tag <= tag::delta_uint32);
        case ColumnKind::real:
            return tag == tag::float32 || tag == tag::float64;
        case ColumnKind::skipped:
            return size_of(tag) != unknown;
    }
    return false;
}

void RowLayout::read_type(Reader& in, ColumnKind kind) {
    const std::size_t start = in.position();
    const std::uint8_t tag = in.u8();
    if (!in.ok()) return;
    if (!takes(kind, tag) || tag == tag::compact_array || (kind == ColumnKind::clock && tag == bare_clock))
        return in.fail_at(Fault::bad_tag, start);
    if (size_of(tag) == nested) return in.fail_at(Fault::unsupported, start);
    types_.push_back(tag);
}

void RowLayout::read_types(Reader& in) {
    types_.clear();
    compact_ = true;
    const std::size_t start = in.position();
    if (in.peek() == tag::structure) {
        in.skip(1);
        const std::size_t count = decode_length(in);
        if (in.ok() && count != kinds_.size()) in.fail_at(Fault::bad_value, start + 1);
    } else if (kinds_.size() != 1) {
        in.u8();
        in.fail_at(Fault::bad_tag, start);
    }
    for (const ColumnKind kind : kinds_)
        if (in.ok()) read_type(in, kind);
}

std::size_t RowLayout::size_min() const {
    if (!compact_) return 2 + kinds_.size();
    std::size_t sum = 0;
    for (const std::uint8_t type : types_)
        sum += size_of(type) == sized ? 1 : static_cast<std::size_t>(size_of(type));
    return sum;
}

/// Octets up to `to` belong to the layout.
void RowLayout::shape(std::size_t to) {
    if (to > mask_size_max) repeatable_ = false;
    if (repeatable_) mask_.resize(to, 0xFF);
}
/// Octets up to `to` belong to a value.
void RowLayout::value(std::size_t to) {
    if (to > mask_size_max) repeatable_ = false;
    if (repeatable_) mask_.resize(to, 0x00);
}

void RowLayout::read_cell(Reader& in, std::size_t column, std::size_t row_start) {
    const ColumnKind kind = kinds_[column];
    CellLayout& cell = cells_[column];
    const std::size_t start = in.position();
    cell.tag = !compact_ ? in.u8() : types_[column];
    cell.unused_bits = 0;
    if (!in.ok()) return;
    if (!takes(kind, cell.tag)) return in.fail_at(Fault::bad_tag, start);
    const int fixed = size_of(cell.tag);
    if (fixed == nested) {  // skipped
        skip_value(in, cell.tag, start, depth_max - 1);
        repeatable_ = false;
        return;
    }
    cell.size = static_cast<std::size_t>(fixed);
    if (kind == ColumnKind::clock && cell.tag == bare_clock && !compact_) {
        cell.size = clock_size;  // the quirk: a length where the tag should be
    } else if (fixed == sized) {
        const std::size_t length_at = in.position(), length = decode_length(in);
        cell.size = octets_of(cell.tag, length);
        cell.unused_bits =
            static_cast<std::uint8_t>(cell.tag == tag::bit_string ? cell.size * 8 - length : 0);
        if (in.ok() && kind == ColumnKind::clock && cell.size != clock_size && cell.size != 0)
            return in.fail_at(Fault::bad_value, length_at);
    }
    cell.at = in.position() - row_start;
    in.skip(cell.size);
    shape(cell.at);
    value(cell.at + cell.size);
}

void RowLayout::read(Reader& in) {
    const std::size_t start = in.position();
    mask_.clear();
    repeatable_ = true;
    if (!compact_) {
        in.expect(tag::structure);
        const std::size_t count_at = in.position(), count = decode_length(in);
        if (in.ok() && count != kinds_.size()) in.fail_at(Fault::bad_value, count_at);
        shape(in.position() - start);
    }
    for (std::size_t column = 0; column < kinds_.size() && in.ok(); ++column) read_cell(in, column, start);
    size_ = in.position() - start;
}

std::size_t RowLayout::run(Bytes octets, std::size_t rows_max) const {
    if (!repeatable_ || size_ == 0) return 1;
    const std::size_t rows = std::min(rows_max, octets.size() / size_);
    const std::uint8_t* first = octets.data();
    std::size_t run = 1;
    while (run < rows && same_layout(first, first + run * size_, mask_.data(), size_)) ++run;
    return run;
}

}  // namespace wattmesh::dlms
