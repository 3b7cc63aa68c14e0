#include "protocol/dlms/compact_array.h"

#include <algorithm>
#include <cassert>

#include "protocol/dlms/data_codec.h"
#include "protocol/dlms/data_tag.h"

namespace wattmesh::dlms {

namespace {

constexpr std::size_t size_sum_max = 0xFFFF'FFFF;

/// Octets that a value of this type takes at least, without a tag; nothing when an array inside consists of
/// elements that take none, so that a few octets could stand for any number of them.
std::optional<std::size_t> size_min(const TypeDescription& type) {
    switch (type.tag) {
        case tag::null:
        case tag::dont_care:
            return 0;
        case tag::array: {
            const auto element = size_min(type.elements[0]);
            if (!element || (*element == 0 && type.count > 0)) return std::nullopt;
            return std::min(*element * type.count, size_sum_max);
        }
        case tag::structure: {
            std::size_t sum = 0;
            for (const TypeDescription& element : type.elements) {
                const auto size = size_min(element);
                if (!size) return std::nullopt;
                sum = std::min(sum + *size, size_sum_max);
            }
            return sum;
        }
        default:
            return 1;
    }
}

bool is_scalar(std::uint8_t tag) {
    switch (tag) {
        case tag::null:
        case tag::boolean:
        case tag::bit_string:
        case tag::int32:
        case tag::uint32:
        case tag::octet_string:
        case tag::visible_string:
        case tag::utf8_string:
        case tag::bcd:
        case tag::dont_care:
            return true;
        default:
            return tag >= tag::int8 && tag <= tag::delta_uint32 && tag != tag::compact_array;
    }
}

std::optional<TypeDescription> type_of(const Data& data) {
    TypeDescription type{.tag = tag_of(data), .count = 0, .elements = {}};
    if (is_scalar(type.tag)) return type;
    const auto* elements = data.elements();
    if (elements == nullptr) return std::nullopt;  // a compact array
    if (type.tag == tag::array) {
        if (elements->empty() || elements->size() > 0xFFFF) return std::nullopt;
        const auto element = type_of(elements->front());
        if (!element) return std::nullopt;
        type.count = static_cast<std::uint16_t>(elements->size());
        type.elements.push_back(*element);
        return type;
    }
    for (const Data& value : *elements) {
        auto element = type_of(value);
        if (!element) return std::nullopt;
        type.elements.push_back(*std::move(element));
    }
    return type;
}

void encode_type(Writer& out, const TypeDescription& type) {
    out.u8(type.tag);
    if (type.tag == tag::array) {
        assert(type.elements.size() == 1);
        out.u16(type.count);
    } else if (type.tag == tag::structure) {
        encode_length(out, type.elements.size());
    } else {
        assert(is_scalar(type.tag) && type.elements.empty());
    }
    for (const TypeDescription& element : type.elements) encode_type(out, element);
}

void encode_typed(Writer& out, const Data& data) {
    if (const auto* elements = data.elements())
        for (const Data& element : *elements) encode_typed(out, element);
    else
        detail::encode_content(out, data);
}

}  // namespace

bool operator==(const CompactArray& a, const CompactArray& b) { return a.type == b.type && a.rows == b.rows; }

bool fits(const TypeDescription& type, const Data& data) {
    if (tag_of(data) != type.tag) return false;
    const auto* elements = data.elements();
    if (elements == nullptr) return is_scalar(type.tag);
    if (type.tag == tag::array)
        return elements->size() == type.count &&
               std::ranges::all_of(*elements, [&](const Data& e) { return fits(type.elements[0], e); });
    return std::ranges::equal(type.elements, *elements, fits);
}

std::optional<CompactArray> compact_array(std::vector<Data> rows) {
    if (rows.empty()) return std::nullopt;
    auto type = type_of(rows.front());
    if (!type || size_min(*type).value_or(0) == 0) return std::nullopt;
    if (!std::ranges::all_of(rows, [&](const Data& row) { return fits(*type, row); })) return std::nullopt;
    return CompactArray{*std::move(type), std::move(rows)};
}

namespace detail {

TypeDescription Decoding::type_description(std::size_t depth_left) {
    const std::size_t start = in.position();
    TypeDescription type{.tag = in.u8(), .count = 0, .elements = {}};
    if (!in.ok() || is_scalar(type.tag)) return type;
    if (type.tag != tag::array && type.tag != tag::structure) {
        in.fail_at(Fault::bad_tag, start);
        return type;
    }
    if (depth_left == 0) {
        in.fail_at(Fault::too_deep, start);
        return type;
    }
    std::size_t count = 1;
    if (type.tag == tag::array)
        type.count = in.u16();
    else
        count = decode_length(in);
    // Every description takes an octet at least.
    if (in.ok() && count > in.remaining()) in.fail(Fault::truncated);
    if (!in.ok() || !charge(count, start)) return type;
    type.elements.reserve(count);
    for (std::size_t i = 0; i < count && in.ok(); ++i)
        type.elements.push_back(type_description(depth_left - 1));
    return type;
}

Data Decoding::typed(const TypeDescription& type, std::size_t depth_left) {
    const std::size_t start = in.position();
    if (type.tag != tag::array && type.tag != tag::structure) return content(type.tag, start);
    if (depth_left == 0) {
        in.fail_at(Fault::too_deep, start);
        return Null{};
    }
    const std::size_t count = type.tag == tag::array ? type.count : type.elements.size();
    std::vector<Data> values;
    if (!charge(count, start)) return Null{};
    values.reserve(count);
    for (std::size_t i = 0; i < count && in.ok(); ++i)
        values.push_back(typed(type.elements[type.tag == tag::array ? 0 : i], depth_left - 1));
    if (type.tag == tag::array) return Array{std::move(values)};
    return Structure{std::move(values)};
}

void Decoding::rows(CompactArray& array, std::size_t size_min, std::size_t depth_left) {
    array.rows.reserve(std::min(in.remaining() / size_min, elements_left));
    while (in.ok() && in.remaining() > 0) {
        if (!charge(1, in.position())) return;
        array.rows.push_back(typed(array.type, depth_left));
    }
}

CompactArray Decoding::compact_array(std::size_t depth_left, std::size_t start) {
    CompactArray array;
    if (depth_left == 0) {
        in.fail_at(Fault::too_deep, start);
        return array;
    }
    array.type = type_description(depth_left - 1);
    const std::size_t size = decode_length(in);
    const std::size_t from = in.position();
    const Bytes contents = in.bytes(size);
    if (!in.ok()) return array;
    const auto row_size_min = size_min(array.type);
    if (!row_size_min || (*row_size_min == 0 && size > 0)) {
        in.fail_at(Fault::bad_value, start + 1);
        return array;
    }
    if (size == 0) return array;
    // A row must end where the contents end, not in what follows them.
    Reader inside{contents, from};
    Decoding inner{inside, elements_left};
    inner.rows(array, *row_size_min, depth_left - 1);
    elements_left = inner.elements_left;
    if (inside.error()) in.fail_at(inside.error()->fault, inside.error()->offset);
    return array;
}

void encode_compact_array(Writer& out, const CompactArray& array) {
    encode_type(out, array.type);
    Writer contents;
    for (const Data& row : array.rows) {
        assert(fits(array.type, row));
        encode_typed(contents, row);
    }
    encode_length(out, contents.size());
    out.bytes(contents.view());
}

}  // namespace detail

}  // namespace wattmesh::dlms
