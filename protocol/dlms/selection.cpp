#include "protocol/dlms/selection.h"

#include <algorithm>
#include <limits>

namespace wattmesh::dlms {

namespace {

constexpr std::uint8_t selector_range = 1, selector_entry = 2;

template <class T>
std::optional<T> bounded(const Data& data) {
    const auto value = data.integer();
    if (!value || *value < std::numeric_limits<T>::min() || *value > std::numeric_limits<T>::max())
        return std::nullopt;
    return static_cast<T>(*value);
}

const std::vector<Data>* structure_of(const Data& data, std::size_t count) {
    const auto* structure = data.as<Structure>();
    return structure && structure->elements.size() == count ? &structure->elements : nullptr;
}

std::optional<Selection> range_from(const Data& parameters) {
    const auto* fields = structure_of(parameters, 4);
    if (!fields) return std::nullopt;
    const auto restricting = capture_object((*fields)[0]);
    const auto* columns = (*fields)[3].as<Array>();
    if (!restricting || !columns) return std::nullopt;
    RangeSelection range{
        .restricting = *restricting, .from = (*fields)[1], .to = (*fields)[2], .columns = {}};
    for (const Data& element : columns->elements) {
        const auto column = capture_object(element);
        if (!column) return std::nullopt;
        range.columns.push_back(*column);
    }
    return range;
}

std::optional<Selection> entry_from(const Data& parameters) {
    const auto* fields = structure_of(parameters, 4);
    if (!fields) return std::nullopt;
    const auto from = bounded<std::uint32_t>((*fields)[0]), to = bounded<std::uint32_t>((*fields)[1]);
    const auto column_from = bounded<std::uint16_t>((*fields)[2]),
               column_to = bounded<std::uint16_t>((*fields)[3]);
    if (!from || !to || !column_from || !column_to) return std::nullopt;
    return EntrySelection{*from, *to, *column_from, *column_to};
}

}  // namespace

std::optional<CaptureObject> capture_object(const Data& data, const Quirks& quirks) {
    const auto* fields = structure_of(data, 4);
    if (!fields) return std::nullopt;
    const auto class_id = bounded<std::uint16_t>((*fields)[0]);
    const Bytes name = (*fields)[1].octets();
    auto attribute = bounded<std::int8_t>((*fields)[2]);
    if (quirks.capture_attribute_255 && (*fields)[2].integer() == 0xFF) attribute = std::int8_t{-1};
    const auto data_index = bounded<std::uint16_t>((*fields)[3]);
    if (!class_id || name.size() != 6 || !attribute || !data_index) return std::nullopt;
    CaptureObject column{*class_id, {}, *attribute, *data_index};
    std::copy(name.begin(), name.end(), column.object.groups.begin());
    return column;
}

void encode_selection(Writer& out, const Selection& selection) {
    if (const auto* range = std::get_if<RangeSelection>(&selection)) {
        std::vector<Data> columns;
        for (const CaptureObject& column : range->columns) columns.push_back(to_data(column));
        out.u8(1).u8(selector_range);
        encode_data(
            out, structure({to_data(range->restricting), range->from, range->to, array(std::move(columns))}));
    } else if (const auto* entry = std::get_if<EntrySelection>(&selection)) {
        out.u8(1).u8(selector_entry);
        encode_data(out, structure({entry->from, entry->to, entry->column_from, entry->column_to}));
    } else {
        out.u8(0);
    }
}

std::optional<Selection> selection_from(std::uint8_t selector, const Data& parameters) {
    switch (selector) {
        case selector_range:
            return range_from(parameters);
        case selector_entry:
            return entry_from(parameters);
        default:
            return std::nullopt;
    }
}

}  // namespace wattmesh::dlms
