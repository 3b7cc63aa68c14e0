#pragma once
#include "protocol/cosem/codec.h"
#include "protocol/dlms/object.h"

/// Typed attributes and methods: rows of a class table that know their C++ type.
namespace wattmesh::cosem {

struct ClassName {
    std::uint16_t id = 0;
    std::string_view name;
};

/// One attribute of a class: `clock::time.of(object)` is what to ask for, `clock::time.read(data)` what came,
/// `clock::time.write(value)` what to send.
template <class T>
struct Attribute : AttributeSpec {
    ClassName owner;

    constexpr Attribute(ClassName of_class, std::int8_t number, std::string_view word, Change changes,
                        Types may_be = Codec<T>::types)
        : AttributeSpec{number, word, may_be, changes, check_value<T>}, owner(of_class) {}

    dlms::AttributeId of(const ObisCode& object) const { return {owner.id, object, id}; }
    /// Tolerant: integers of any width that fit, dates as octet-string or with their own tag.
    Checked<T> read(const dlms::Data& data) const {
        Decoding how;
        if (auto value = Codec<T>::decode(data, how)) return std::move(*value);
        return Misfit{how.fault, owner.name, name, how.path()};
    }
    dlms::Data write(const T& value) const { return Codec<T>::encode(value); }
};

/// What to call and with what.
struct MethodCall {
    dlms::MethodId id;
    std::optional<dlms::Data> argument;
    friend bool operator==(const MethodCall&, const MethodCall&) = default;
};

/// One method of a class: `disconnect_control::remote_disconnect(object)`.
template <class A = Zero>
struct Method : MethodSpec {
    ClassName owner;

    constexpr Method(ClassName of_class, std::int8_t number, std::string_view word, Need needed,
                     Types may_be = Codec<A>::types)
        : MethodSpec{number, word, needed, may_be, check_value<A>}, owner(of_class) {}

    dlms::MethodId of(const ObisCode& object) const { return {owner.id, object, id}; }
    MethodCall operator()(const ObisCode& object, const A& argument) const {
        return {of(object), Codec<A>::encode(argument)};
    }
    MethodCall operator()(const ObisCode& object) const
        requires std::same_as<A, Zero>
    {
        return (*this)(object, Zero{});
    }
    /// Server side: the argument of a call.
    Checked<A> read(const std::optional<dlms::Data>& argument) const {
        Decoding how;
        if (auto value = Codec<A>::decode(argument.value_or(dlms::Data{}), how)) return std::move(*value);
        return Misfit{how.fault, owner.name, name, how.path()};
    }
};

/// Attribute 1 of every class.
inline constexpr AttributeSpec logical_name{1, "logical_name", Type::octet_string, Change::fixed,
                                            check_value<ObisCode>};

}  // namespace wattmesh::cosem
