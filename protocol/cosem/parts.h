#pragma once
#include "protocol/cosem/attribute.h"
#include "protocol/cosem/units.h"

/// Structures that several classes share.
namespace wattmesh::cosem {

/// scal_unit_type: value x 10^scaler in `unit` (Blue Book ed. 14, 4.3.2).
struct ScalerUnit {
    std::int8_t scaler = 0;
    Unit unit = Unit::count;
    friend bool operator==(const ScalerUnit&, const ScalerUnit&) = default;
    static constexpr auto members() { return std::tuple{&ScalerUnit::scaler, &ScalerUnit::unit}; }
};

/// action_item: a script of a script table. Without action: name 0.0.0.0.0.0 or selector 0.
struct ActionItem {
    ObisCode script_logical_name;
    std::uint16_t script_selector = 0;
    friend bool operator==(const ActionItem&, const ActionItem&) = default;
    static constexpr auto members() {
        return std::tuple{&ActionItem::script_logical_name, &ActionItem::script_selector};
    }
};

/// value_definition: an attribute that is watched or charged.
struct ValueDefinition {
    std::uint16_t class_id = 0;
    ObisCode logical_name;
    std::int8_t attribute_index = 0;
    friend bool operator==(const ValueDefinition&, const ValueDefinition&) = default;
    static constexpr auto members() {
        return std::tuple{&ValueDefinition::class_id, &ValueDefinition::logical_name,
                          &ValueDefinition::attribute_index};
    }
};

/// window_element: from start to end, wildcards repeat it.
struct Window {
    dlms::RawDateTime start_time, end_time;
    friend bool operator==(const Window&, const Window&) = default;
    static constexpr auto members() { return std::tuple{&Window::start_time, &Window::end_time}; }
};

/// object_definition: an object by class and name.
struct ObjectDefinition {
    std::uint16_t class_id = 0;
    ObisCode logical_name;
    friend bool operator==(const ObjectDefinition&, const ObjectDefinition&) = default;
    static constexpr auto members() {
        return std::tuple{&ObjectDefinition::class_id, &ObjectDefinition::logical_name};
    }
};

/// capture_object_definition, as dlms::CaptureObject.
template <>
struct Codec<dlms::CaptureObject> {
    static constexpr Types types = Type::structure;
    static std::optional<dlms::CaptureObject> decode(const dlms::Data& data, Decoding& how) {
        if (!data.as<dlms::Structure>()) return how.fail(Fault::bad_tag);
        auto column = dlms::capture_object(data);
        return column ? column : how.fail(Fault::bad_value);
    }
    static dlms::Data encode(const dlms::CaptureObject& value) { return dlms::to_data(value); }
};

/// Twelve octets with every field "not specified".
inline constexpr dlms::RawDateTime unspecified_time{
    {0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x80, 0x00, 0xFF}};
inline dlms::RawDateTime raw(const dlms::DateTime& time) { return {dlms::encode_date_time(time)}; }

}  // namespace wattmesh::cosem
