#pragma once
#include <array>
#include <concepts>
#include <limits>
#include <optional>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "protocol/cosem/class_table.h"
#include "protocol/dlms/date_time.h"

/// Data <-> C++ values, driven by the C++ type. A structure names its members once:
///
///     struct ScalerUnit {
///         std::int8_t scaler = 0;
///         Unit unit{};
///         static constexpr auto members() { return std::tuple{&ScalerUnit::scaler, &ScalerUnit::unit}; }
///     };
namespace wattmesh::cosem {

/// integer(0): the argument of methods that need none.
struct Zero {
    friend bool operator==(const Zero&, const Zero&) = default;
};
/// A date-time with its own tag (25) where the standard does not say octet-string.
struct TaggedDateTime {
    std::array<std::uint8_t, 12> octets{};
    friend bool operator==(const TaggedDateTime&, const TaggedDateTime&) = default;
};

/// How a value is being taken apart. Strict: exactly the types of the table (what is written to a meter).
/// Tolerant: any integer type in range and either form of a date (what is read from one).
struct Decoding {
    bool strict = false;
    Fault fault{};
    std::vector<std::size_t> elements{};  ///< where it failed, innermost first

    std::nullopt_t fail(Fault why) {
        fault = why;
        return std::nullopt;
    }
    std::string path() const {
        std::string text;
        for (auto it = elements.rbegin(); it != elements.rend(); ++it)
            text += '[' + std::to_string(*it) + ']';
        return text;
    }
};

template <class T>
struct Codec;

/// A value as it is; the attribute says which types.
template <>
struct Codec<dlms::Data> {
    static constexpr Types types = any_types;
    static std::optional<dlms::Data> decode(const dlms::Data& data, Decoding&) { return data; }
    static dlms::Data encode(const dlms::Data& value) { return value; }
};

template <class T>
constexpr Type integer_type() {
    if constexpr (std::is_signed_v<T>)
        return sizeof(T) == 1   ? Type::int8
               : sizeof(T) == 2 ? Type::int16
               : sizeof(T) == 4 ? Type::int32
                                : Type::int64;
    else
        return sizeof(T) == 1   ? Type::uint8
               : sizeof(T) == 2 ? Type::uint16
               : sizeof(T) == 4 ? Type::uint32
                                : Type::uint64;
}

template <std::integral T>
struct Codec<T> {
    static constexpr Types types = integer_type<T>();
    static std::optional<T> decode(const dlms::Data& data, Decoding& how) {
        if (const auto* exact = data.as<T>()) return *exact;
        const auto value = how.strict ? std::nullopt : data.integer();
        if (!value) return how.fail(Fault::bad_tag);
        if (!std::in_range<T>(*value)) return how.fail(Fault::bad_value);
        return static_cast<T>(*value);
    }
    static dlms::Data encode(T value) { return value; }
};

template <>
struct Codec<bool> {
    static constexpr Types types = Type::boolean;
    static std::optional<bool> decode(const dlms::Data& data, Decoding& how) {
        if (const auto* exact = data.as<bool>()) return *exact;
        const auto value = how.strict ? std::nullopt : data.integer();
        if (!value) return how.fail(Fault::bad_tag);
        return *value != 0;
    }
    static dlms::Data encode(bool value) { return value; }
};

template <class E>
    requires std::is_enum_v<E>
struct Codec<E> {
    static constexpr Types types = Type::enumeration;
    static std::optional<E> decode(const dlms::Data& data, Decoding& how) {
        const bool is_enum = data.as<dlms::Enum>() != nullptr;
        const auto value = is_enum || !how.strict ? data.integer() : std::nullopt;
        if (!value) return how.fail(Fault::bad_tag);
        std::int64_t most = 0xFF;
        // last_of(E), declared next to an enumeration, names the greatest value that the standard has.
        if constexpr (requires { last_of(E{}); })
            if (how.strict) most = static_cast<std::int64_t>(last_of(E{}));
        if (*value < 0 || *value > most) return how.fail(Fault::bad_value);
        return static_cast<E>(*value);
    }
    static dlms::Data encode(E value) { return dlms::Enum{static_cast<std::uint8_t>(value)}; }
};

template <>
struct Codec<Zero> {
    static constexpr Types types = Type::int8;
    static std::optional<Zero> decode(const dlms::Data& data, Decoding& how) {
        if (!data.as<std::int8_t>() && how.strict) return how.fail(Fault::bad_tag);
        return Zero{};
    }
    static dlms::Data encode(Zero) { return std::int8_t{0}; }
};

/// Alternatives of Data that are values of their own.
template <class T, Type type>
struct OwnCodec {
    static constexpr Types types = type;
    static std::optional<T> decode(const dlms::Data& data, Decoding& how) {
        if (const auto* exact = data.as<T>()) return *exact;
        return how.fail(Fault::bad_tag);
    }
    static dlms::Data encode(const T& value) { return value; }
};
template <>
struct Codec<dlms::BitString> : OwnCodec<dlms::BitString, Type::bit_string> {};
template <>
struct Codec<dlms::Utf8String> : OwnCodec<dlms::Utf8String, Type::utf8_string> {};

template <>
struct Codec<std::string> {
    static constexpr Types types = Type::visible_string;
    static std::optional<std::string> decode(const dlms::Data& data, Decoding& how);
    static dlms::Data encode(const std::string& value) { return dlms::VisibleString{value}; }
};
template <>
struct Codec<Buffer> {
    static constexpr Types types = Type::octet_string;
    static std::optional<Buffer> decode(const dlms::Data& data, Decoding& how);
    static dlms::Data encode(const Buffer& value) { return dlms::OctetString{value}; }
};
template <>
struct Codec<ObisCode> {
    static constexpr Types types = Type::octet_string;
    static std::optional<ObisCode> decode(const dlms::Data& data, Decoding& how);
    static dlms::Data encode(const ObisCode& value) { return dlms::octet_string(value); }
};

/// Dates and times that travel as octet-string, wildcards included.
template <class Raw, Type tagged>
struct DateCodec {
    static constexpr Types types{Type::octet_string, tagged};
    static std::optional<Raw> decode(const dlms::Data& data, Decoding& how) {
        if (const auto* raw = data.as<Raw>()) return *raw;
        const auto* octets = data.as<dlms::OctetString>();
        if (!octets) return how.fail(Fault::bad_tag);
        Raw value;
        if (octets->octets.size() != value.octets.size()) return how.fail(Fault::bad_value);
        std::copy(octets->octets.begin(), octets->octets.end(), value.octets.begin());
        return value;
    }
    static dlms::Data encode(const Raw& value) { return dlms::octet_string(Bytes{value.octets}); }
};
template <>
struct Codec<dlms::RawDateTime> : DateCodec<dlms::RawDateTime, Type::date_time> {};
template <>
struct Codec<dlms::RawDate> : DateCodec<dlms::RawDate, Type::date> {};
template <>
struct Codec<dlms::RawTime> : DateCodec<dlms::RawTime, Type::time> {};

template <>
struct Codec<TaggedDateTime> {
    static constexpr Types types{Type::date_time, Type::octet_string};
    static std::optional<TaggedDateTime> decode(const dlms::Data& data, Decoding& how) {
        const auto raw = Codec<dlms::RawDateTime>::decode(data, how);
        return raw ? std::optional{TaggedDateTime{raw->octets}} : std::nullopt;
    }
    static dlms::Data encode(const TaggedDateTime& value) { return dlms::RawDateTime{value.octets}; }
};

template <class T>
struct Codec<std::vector<T>> {
    static constexpr Types types = Type::array;
    static std::optional<std::vector<T>> decode(const dlms::Data& data, Decoding& how) {
        const auto* array = data.as<dlms::Array>();
        if (!array) return how.fail(Fault::bad_tag);
        std::vector<T> values;
        values.reserve(array->elements.size());
        for (const auto& element : array->elements) {
            auto value = Codec<T>::decode(element, how);
            if (!value) {
                how.elements.push_back(values.size() + 1);
                return std::nullopt;
            }
            values.push_back(std::move(*value));
        }
        return values;
    }
    static dlms::Data encode(const std::vector<T>& values) {
        std::vector<dlms::Data> elements;
        elements.reserve(values.size());
        for (const auto& value : values) elements.push_back(Codec<T>::encode(value));
        return dlms::array(std::move(elements));
    }
};

/// null-data, or the value.
template <class T>
struct Codec<std::optional<T>> {
    static constexpr Types types = any_types;
    static std::optional<std::optional<T>> decode(const dlms::Data& data, Decoding& how) {
        if (data.as<dlms::Null>()) return std::optional<T>{};
        auto value = Codec<T>::decode(data, how);
        return value ? std::optional{std::optional<T>{std::move(*value)}} : std::nullopt;
    }
    static dlms::Data encode(const std::optional<T>& value) {
        return value ? Codec<T>::encode(*value) : dlms::Data{};
    }
};

template <class S>
concept Record = requires { S::members(); };

template <Record S>
struct Codec<S> {
    static constexpr Types types = Type::structure;
    static std::optional<S> decode(const dlms::Data& data, Decoding& how) {
        const auto* structure = data.as<dlms::Structure>();
        if (!structure) return how.fail(Fault::bad_tag);
        constexpr std::size_t count = std::tuple_size_v<decltype(S::members())>;
        if (structure->elements.size() != count) return how.fail(Fault::bad_value);
        S value{};
        std::size_t next = 0;
        const auto take = [&]<class T>(T S::* member) {
            auto element = Codec<T>::decode(structure->elements[next++], how);
            if (!element) {
                how.elements.push_back(next);
                return false;
            }
            value.*member = std::move(*element);
            return true;
        };
        const bool whole = std::apply([&](auto... member) { return (take(member) && ...); }, S::members());
        return whole ? std::optional{std::move(value)} : std::nullopt;
    }
    static dlms::Data encode(const S& value) {
        std::vector<dlms::Data> elements;
        std::apply(
            [&]<class... T>(T S::*... member) { (elements.push_back(Codec<T>::encode(value.*member)), ...); },
            S::members());
        return dlms::structure(std::move(elements));
    }
};

/// A structure that codes itself: `static std::optional<S> decode(data, how)` and `Data encode() const`.
template <class S>
concept SelfCoded = requires(const S& value, const dlms::Data& data, Decoding& how) {
    { S::decode(data, how) } -> std::same_as<std::optional<S>>;
    { value.encode() } -> std::same_as<dlms::Data>;
};
template <SelfCoded S>
struct Codec<S> {
    static constexpr Types types = Type::structure;
    static std::optional<S> decode(const dlms::Data& data, Decoding& how) { return S::decode(data, how); }
    static dlms::Data encode(const S& value) { return value.encode(); }
};

/// What the class table calls for a deep look at a value.
template <class T>
std::optional<Misfit> check_value(const dlms::Data& data) {
    Decoding how{.strict = true};
    if (Codec<T>::decode(data, how)) return std::nullopt;
    return Misfit{how.fault, {}, {}, how.path()};
}

}  // namespace wattmesh::cosem
