#include "protocol/decode/data_node.h"

#include <bit>
#include <utility>

#include "protocol/cosem/obis_names.h"
#include "protocol/decode/date_words.h"
#include "protocol/decode/printable.h"
#include "protocol/decode/words.h"
#include "protocol/dlms/data_tag.h"

namespace wattmesh::decode {
namespace {

namespace tag = dlms::tag;
using dlms::TypeDescription;

constexpr std::size_t octets_shown_max = 32;

bool is_container(std::uint8_t tag) { return tag == tag::array || tag == tag::structure; }

std::string bits_words(std::size_t bits, Bytes octets) {
    std::string text;
    for (std::size_t i = 0; i < bits; ++i) text += (octets[i / 8] >> (7 - i % 8) & 1U) != 0 ? '1' : '0';
    return text;
}

/// Octets that a value of this type takes at least, without its tag.
std::size_t size_min(const TypeDescription& type) {
    if (type.tag == tag::null || type.tag == tag::dont_care) return 0;
    if (type.tag == tag::array) return type.count == 0 ? 0 : size_min(type.elements[0]);
    if (type.tag != tag::structure) return 1;
    std::size_t sum = 0;
    for (const TypeDescription& element : type.elements) sum += size_min(element);
    return sum;
}

/// Reads one value with everything in it, under common bounds.
class DataReader {
public:
    explicit DataReader(Walk& walk) : walk_(walk) {}

    DataNode value(std::size_t depth_left) {
        DataNode node;
        node.at = walk_.here();
        node.tag = walk_.in.u8();
        if (!walk_.in.ok()) return node;
        if (type_name(node.tag).empty())
            walk_.fail(Fault::bad_tag, node.at, fmt::format("{:02X} is no type of Data", node.tag));
        else if (is_container(node.tag))
            elements(node, depth_left);
        else if (node.tag == tag::compact_array)
            compact_array(node, depth_left);
        else
            scalar(node);
        node.complete = walk_.in.ok();
        return node;
    }

private:
    bool charge(std::size_t count, std::size_t at) {
        if (count > elements_left_) walk_.fail(Fault::too_long, at, "too many elements");
        if (!walk_.in.ok()) return false;
        elements_left_ -= count;
        return true;
    }
    bool too_deep(std::size_t depth_left, std::size_t at) {
        if (depth_left == 0) walk_.fail(Fault::too_deep, at, "more than 16 arrays and structures in another");
        return depth_left == 0;
    }

    void elements(DataNode& node, std::size_t depth_left) {
        if (too_deep(depth_left, node.at)) return;
        const std::size_t count_at = walk_.here();
        node.count = walk_.length();
        const std::size_t possible = std::min(node.count, walk_.in.remaining());
        if (!charge(possible, count_at)) return;
        for (std::size_t i = 0; i < node.count && walk_.in.ok(); ++i)
            node.elements.push_back(value(depth_left - 1));
        if (!walk_.in.ok() && !node.elements.empty() && !std::exchange(explained_, true))
            walk_.explain(fmt::format("in element {} of {} of the {} at octet {}", node.elements.size(),
                                      node.count, type_name(node.tag), walk_.passage.origin(node.at)));
    }

    void scalar(DataNode& node);
    void text(DataNode& node);
    template <class Number>
    void number(DataNode& node, Number value) {
        if (!walk_.in.ok()) return;
        if constexpr (std::is_same_v<Number, bool>)
            node.integer = value ? 1 : 0;
        else if constexpr (std::is_integral_v<Number>)
            if (std::in_range<std::int64_t>(value)) node.integer = static_cast<std::int64_t>(value);
        node.words = fmt::format("{} {}", type_name(node.tag), value);
    }

    TypeDescription type_description(std::size_t depth_left);
    void compact_array(DataNode& node, std::size_t depth_left);
    DataNode typed(const TypeDescription& type);

    Walk& walk_;
    std::size_t elements_left_ = dlms::DataLimits{}.elements_max;
    bool explained_ = false;  ///< the innermost array or structure said that a fault is in it
};

void DataReader::text(DataNode& node) {
    const std::size_t length = walk_.length();
    const bool all = walk_.session.all;
    if (!walk_.in.ok()) return;
    if (node.tag == tag::bit_string) {
        node.octets = walk_.take(length / 8 + (length % 8 == 0 ? 0 : 1));
        if (!walk_.in.ok()) return;
        const bool shown = length <= 64 || all;
        node.words =
            fmt::format("bit-string({}) {}", length,
                        shown ? bits_words(length, node.octets) : hex_words(node.octets, octets_shown_max));
        return;
    }
    node.octets = walk_.ahead();
    const bool cut = node.octets.size() < length;
    node.octets = node.octets.first(std::min(length, node.octets.size()));
    walk_.take(length);
    if (cut)
        node.words = fmt::format("{}({}) {}...", type_name(node.tag), length,
                                 hex_words(node.octets, octets_shown_max));
    else if (node.tag == tag::octet_string)
        node.words = fmt::format("octet-string({}) {}", length, octets_words(node.octets, all));
    else
        node.words = fmt::format("{}({}) \"{}\"", type_name(node.tag), length, printable(node.octets));
    while (!node.words.empty() && node.words.back() == ' ') node.words.pop_back();
}

void DataReader::scalar(DataNode& node) {
    Reader& in = walk_.in;
    const auto fixed = [&](std::size_t size, std::optional<std::string> (*words)(Bytes)) {
        node.octets = in.bytes(size);
        if (!in.ok()) return;
        node.words =
            fmt::format("{} {}", type_name(node.tag), words(node.octets).value_or(to_hex(node.octets)));
    };
    switch (node.tag) {
        case tag::null:
        case tag::dont_care:
            node.words = type_name(node.tag);
            return;
        case tag::boolean:
            return number(node, in.u8() != 0);
        case tag::int8:
        case tag::delta_int8:
            return number(node, int{in.i8()});
        case tag::int16:
        case tag::delta_int16:
            return number(node, in.i16());
        case tag::int32:
        case tag::delta_int32:
            return number(node, in.i32());
        case tag::int64:
            return number(node, in.i64());
        case tag::uint8:
        case tag::bcd:
        case tag::enumeration:
        case tag::delta_uint8:
            return number(node, unsigned{in.u8()});
        case tag::uint16:
        case tag::delta_uint16:
            return number(node, in.u16());
        case tag::uint32:
        case tag::delta_uint32:
            return number(node, in.u32());
        case tag::uint64:
            return number(node, in.u64());
        case tag::float32:
            return number(node, std::bit_cast<float>(in.u32()));
        case tag::float64:
            return number(node, std::bit_cast<double>(in.u64()));
        case tag::date_time:
            return fixed(12, date_time_words);
        case tag::date:
            return fixed(5, date_words);
        case tag::time:
            return fixed(4, time_words);
        default:
            return text(node);
    }
}

TypeDescription DataReader::type_description(std::size_t depth_left) {
    const std::size_t at = walk_.here();
    TypeDescription type{.tag = walk_.in.u8(), .count = 0, .elements = {}};
    if (!walk_.in.ok()) return type;
    if (type_name(type.tag).empty() || type.tag == tag::compact_array) {
        walk_.fail(Fault::bad_tag, at, fmt::format("{:02X} is no type of compact array rows", type.tag));
        return type;
    }
    if (!is_container(type.tag)) return type;
    if (too_deep(depth_left, at)) return type;
    std::size_t count = 1;
    if (type.tag == tag::array)
        type.count = walk_.in.u16();
    else
        count = walk_.length();
    if (walk_.in.ok() && count > walk_.in.remaining())
        walk_.fail(Fault::truncated, walk_.end(), fmt::format("{} types are announced", count));
    if (!charge(count, at)) return type;
    for (std::size_t i = 0; i < count && walk_.in.ok(); ++i)
        type.elements.push_back(type_description(depth_left - 1));
    if (walk_.in.ok() && type.tag == tag::array && type.count > 0 && size_min(type.elements[0]) == 0)
        walk_.fail(Fault::bad_value, at, "an array whose elements have no octets");
    return type;
}

DataNode DataReader::typed(const TypeDescription& type) {
    DataNode node;
    node.at = walk_.here();
    node.tag = type.tag;
    if (!is_container(type.tag)) {
        scalar(node);
    } else {
        node.count = type.tag == tag::array ? type.count : type.elements.size();
        if (!charge(node.count, node.at)) return node;
        for (std::size_t i = 0; i < node.count && walk_.in.ok(); ++i)
            node.elements.push_back(typed(type.elements[type.tag == tag::array ? 0 : i]));
    }
    node.complete = walk_.in.ok();
    return node;
}

void DataReader::compact_array(DataNode& node, std::size_t depth_left) {
    if (too_deep(depth_left, node.at)) return;
    const std::size_t type_at = walk_.here();
    const TypeDescription type = type_description(depth_left - 1);
    const std::size_t size = walk_.length();
    const std::size_t contents_at = walk_.here();
    const std::size_t there = std::min(size, walk_.in.remaining());
    if (walk_.in.ok() && size > 0 && size_min(type) == 0)
        walk_.fail(Fault::bad_value, type_at, "rows of this type have no octets");
    if (!walk_.in.ok()) return;
    Walk contents{walk_.session, walk_.passage, contents_at, contents_at + there, walk_.depth, walk_.where};
    DataReader inside{contents};
    inside.elements_left_ = elements_left_;
    while (contents.in.ok() && contents.in.remaining() > 0 && inside.charge(1, contents.here()))
        node.elements.push_back(inside.typed(type));
    elements_left_ = inside.elements_left_;
    node.count = node.elements.size();
    if (contents.in.ok() || size > there) {
        walk_.take(size);
    } else {
        walk_.fail(contents.in.error()->fault, contents.in.error()->offset, "in a row of a compact array");
    }
}

constexpr std::pair<std::uint8_t, std::string_view> type_names[]{
    {tag::null, "null"},
    {tag::array, "array"},
    {tag::structure, "structure"},
    {tag::boolean, "boolean"},
    {tag::bit_string, "bit-string"},
    {tag::int32, "int32"},
    {tag::uint32, "uint32"},
    {tag::octet_string, "octet-string"},
    {tag::visible_string, "visible-string"},
    {tag::utf8_string, "utf8-string"},
    {tag::bcd, "bcd"},
    {tag::int8, "int8"},
    {tag::int16, "int16"},
    {tag::uint8, "uint8"},
    {tag::uint16, "uint16"},
    {tag::compact_array, "compact-array"},
    {tag::int64, "int64"},
    {tag::uint64, "uint64"},
    {tag::enumeration, "enum"},
    {tag::float32, "float32"},
    {tag::float64, "float64"},
    {tag::date_time, "date-time"},
    {tag::date, "date"},
    {tag::time, "time"},
    {tag::delta_int8, "delta-int8"},
    {tag::delta_int16, "delta-int16"},
    {tag::delta_int32, "delta-int32"},
    {tag::delta_uint8, "delta-uint8"},
    {tag::delta_uint16, "delta-uint16"},
    {tag::delta_uint32, "delta-uint32"},
    {tag::dont_care, "dont-care"},
};

}  // namespace

std::string_view type_name(std::uint8_t tag) {
    for (const auto& [number, name] : type_names)
        if (number == tag) return name;
    return {};
}

std::string octets_words(Bytes octets, bool all) {
    if (octets.size() == 12)
        if (auto words = date_time_words(octets)) return *words;
    if (octets.size() == 6) {
        ObisCode code;
        std::copy(octets.begin(), octets.end(), code.groups.begin());
        if (octets[5] == 255 || !cosem::obis_name(code).empty()) return object_words(code);
    }
    const std::string hex = hex_words(octets, all ? octets.size() : octets_shown_max);
    if (!is_printable(octets)) return hex;
    return '"' + printable(octets) + '"' + (octets.size() <= 4 ? " (" + hex + ")" : "");
}

DataNode read_data(Walk& walk) { return DataReader{walk}.value(dlms::DataLimits{}.depth_max); }

}  // namespace wattmesh::decode
