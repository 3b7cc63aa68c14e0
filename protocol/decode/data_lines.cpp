#include "protocol/decode/data_lines.h"

#include "protocol/cosem/units.h"
#include "protocol/decode/words.h"
#include "protocol/dlms/data_tag.h"

namespace wattmesh::decode {
namespace {

namespace tag = dlms::tag;

constexpr std::size_t inline_columns_max = 110;
constexpr std::size_t elements_shown_max = 24, elements_shown_of_more = 16;

bool is_container(const DataNode& node) {
    return node.tag == tag::array || node.tag == tag::structure || node.tag == tag::compact_array;
}
bool is_structure(const DataNode& node, std::size_t count) {
    return node.tag == tag::structure && node.complete && node.elements.size() == count;
}
bool is_scaler_unit(const DataNode& node) {
    return is_structure(node, 2) && node.elements[0].tag == tag::int8 &&
           node.elements[1].tag == tag::enumeration;
}
std::string unit_words(std::int64_t unit) {
    const auto name = cosem::unit_name(static_cast<int>(unit));
    if (!name.empty()) return std::string{name};
    return unit == 255 ? "(no unit)" : fmt::format("(unit {})", unit);
}
bool is_number(const DataNode& node) {
    return node.integer && node.tag != tag::boolean && node.tag != tag::enumeration;
}

/// 1234 x 10^-1 as "123.4": exact, where floating point would not be.
std::string decimal(std::int64_t value, std::int64_t scaler) {
    const bool negative = value < 0;
    std::string digits = fmt::format("{}", value);
    if (negative) digits.erase(0, 1);
    if (scaler >= 0) {
        if (value != 0) digits.append(static_cast<std::size_t>(scaler), '0');
    } else {
        const auto places = static_cast<std::size_t>(-scaler);
        if (digits.size() <= places) digits.insert(0, places + 1 - digits.size(), '0');
        digits.insert(digits.size() - places, ".");
    }
    return (negative ? "-" : "") + digits;
}

ObisCode logical_name(Bytes octets) {
    ObisCode code;
    std::copy(octets.begin(), octets.end(), code.groups.begin());
    return code;
}

/// class, logical name, attribute and data index of a captured object, in words; empty for anything else.
std::string captured(const DataNode& node) {
    const auto& parts = node.elements;
    const bool is = is_structure(node, 4) && parts[0].tag == tag::uint16 && parts[1].octets.size() == 6 &&
                    parts[2].tag == tag::int8 && parts[3].tag == tag::uint16;
    if (!is) return {};
    const auto index = *parts[3].integer;
    return attribute_words(static_cast<std::uint16_t>(*parts[0].integer), logical_name(parts[1].octets),
                           static_cast<std::int8_t>(*parts[2].integer)) +
           (index == 0 ? "" : fmt::format(", index {}", index));
}

/// What structures with a unit mean: " = x10^-1 V", " = 230.1 V" for a number beside it.
std::string meaning(const DataNode& node) {
    const auto& parts = node.elements;
    if (is_scaler_unit(node))
        return fmt::format(" = x10^{} {}", *parts[0].integer, unit_words(*parts[1].integer));
    if (node.tag != tag::structure || !node.complete) return {};
    for (std::size_t i = 1; i < parts.size(); ++i)
        if (is_number(parts[i - 1]) && is_scaler_unit(parts[i]))
            return fmt::format(" = {} {}", decimal(*parts[i - 1].integer, *parts[i].elements[0].integer),
                               unit_words(*parts[i].elements[1].integer));
    return {};
}

/// The value in one line; nothing when it is too long for that.
std::optional<std::string> inline_words(const DataNode& node) {
    if (!node.complete) return std::nullopt;
    if (!is_container(node)) return node.words;
    if (!captured(node).empty()) return std::nullopt;
    if (node.tag == tag::compact_array || node.elements.size() > elements_shown_max) return std::nullopt;
    const bool structure = node.tag == tag::structure;
    std::string text = structure ? "{" : "[";
    for (const DataNode& element : node.elements) {
        const auto words = inline_words(element);
        if (!words || text.size() + words->size() > inline_columns_max) return std::nullopt;
        text += (text.size() == 1 ? "" : ", ") + *words;
    }
    return text + (structure ? "}" : "]") + meaning(node);
}

/// A push whose first value is the list of what is pushed: the object of each value, in parentheses.
std::vector<std::string> names_in_front(const DataNode& node) {
    std::vector<std::string> names;
    if (node.tag != tag::structure || node.elements.empty()) return names;
    const auto& list = node.elements.front();
    if (list.tag != tag::array || !list.complete || list.elements.size() != node.count) return names;
    for (const DataNode& object : list.elements) {
        if (captured(object).empty()) return {};
        names.push_back(
            names.empty() ? "" : fmt::format("({}) ", object_words(logical_name(object.elements[1].octets))));
    }
    return names;
}

void put_line(Walk& walk, std::size_t at, std::string text) {
    walk.session.report.line(walk.passage, at, walk.depth, std::move(text));
}

void say(Walk& walk, const DataNode& node, const std::string& prefix) {
    const auto line = [&](std::size_t at, std::string text) { put_line(walk, at, std::move(text)); };
    if (!is_container(node)) {
        if (!node.words.empty()) line(node.at, prefix + node.words);
        return;
    }
    if (const auto object = captured(node); !object.empty())
        return line(node.at, prefix + "capture object: " + object);
    if (const auto words = inline_words(node))
        return line(node.at, prefix + std::string{type_name(node.tag)} + " " + *words);
    line(node.at, fmt::format("{}{} of {}{}", prefix, type_name(node.tag), node.count, meaning(node)));
    ++walk.depth;
    const auto names = names_in_front(node);
    const std::size_t size = node.elements.size();
    const bool few = walk.session.all || size <= elements_shown_max;
    const std::size_t shown = few ? size : elements_shown_of_more;
    const std::size_t last = few ? size : size - 1;
    for (std::size_t i = 0; i < shown; ++i)
        say(walk, node.elements[i], fmt::format("{}: {}", i + 1, i < names.size() ? names[i] : ""));
    if (last > shown)
        line(node.elements[shown].at, fmt::format("... {} more (--all prints them)", last - shown));
    if (!few) say(walk, node.elements[last], fmt::format("{}: ", last + 1));
    --walk.depth;
}

}  // namespace

DataNode data_lines(Walk& walk, std::string_view prefix) {
    if (!walk.in.ok()) return {};
    DataNode node = read_data(walk);
    say(walk, node, std::string{prefix});
    return node;
}

void selector_lines(Walk& walk, std::uint8_t selector) {
    if (!walk.in.ok()) return;
    const DataNode node = read_data(walk);
    const bool known = (selector == 1 || selector == 2) && is_structure(node, 4);
    if (!known) return say(walk, node, "parameters ");
    constexpr const char* names[2][4]{{"sorted by ", "from ", "to ", "columns "},
                                      {"from entry ", "to entry ", "from column ", "to column "}};
    for (std::size_t i = 0; i < 4; ++i) {
        const DataNode& part = node.elements[i];
        const bool all = i == 3 ? part.integer == 0 || (part.tag == tag::array && part.elements.empty())
                                : selector == 2 && i == 1 && part.integer == 0;
        if (all)
            put_line(walk, part.at, i == 3 ? "all columns" : "to the last entry");
        else
            say(walk, part, names[selector - 1][i]);
    }
}

std::size_t data_sequence_lines(Walk& walk, std::string_view name, std::optional<std::size_t> expected) {
    const std::size_t at = walk.here();
    const std::size_t count = walk.length();
    walk.line(at, "{}: {}", name, count);
    if (expected && count != *expected)
        walk.fail(Fault::bad_value, at, fmt::format("{} are named, {} come with them", *expected, count));
    ++walk.depth;
    for (std::size_t i = 0; i < count && walk.in.ok(); ++i) data_lines(walk, fmt::format("{}: ", i + 1));
    --walk.depth;
    return count;
}

}  // namespace wattmesh::decode
