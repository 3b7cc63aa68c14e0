#pragma once
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "protocol/cosem/checked.h"
#include "protocol/dlms/data.h"

/// Interface classes as data: what attributes and methods a class has, and what types their values are.
/// Source: Blue Book (DLMS UA 1000-1) ed. 14 and 15, part 2, clause 4; names in the standard's words.
namespace wattmesh::cosem {

/// Tags of the Data CHOICE. Source: Blue Book ed. 14, 4.1.5.
enum class Type : std::uint8_t {
    null_data = 0,
    array = 1,
    structure = 2,
    boolean = 3,
    bit_string = 4,
    int32 = 5,
    uint32 = 6,
    octet_string = 9,
    visible_string = 10,
    utf8_string = 12,
    bcd = 13,
    int8 = 15,
    int16 = 16,
    uint8 = 17,
    uint16 = 18,
    compact_array = 19,
    int64 = 20,
    uint64 = 21,
    enumeration = 22,
    float32 = 23,
    float64 = 24,
    date_time = 25,
    date = 26,
    time = 27,
    delta = 28,      ///< any of 28 to 33: a difference, in profile buffers only
    dont_care = 63,  ///< 0xFF on the wire
};
Type type_of(const dlms::Data& data);
/// The standard's word: "double-long-unsigned" for uint32.
std::string_view to_string(Type type);

/// A set of types.
class Types {
public:
    constexpr Types() = default;
    constexpr Types(Type type) : bits_(bit(type)) {}
    constexpr Types(std::initializer_list<Type> types) {
        for (const Type type : types) bits_ |= bit(type);
    }
    constexpr bool contain(Type type) const { return (bits_ & bit(type)) != 0; }
    friend constexpr bool operator==(const Types&, const Types&) = default;

private:
    static constexpr std::uint64_t bit(Type type) {
        return std::uint64_t{1} << static_cast<std::uint8_t>(type);
    }
    std::uint64_t bits_ = 0;
};
/// "unsigned or long-unsigned"
std::string to_string(const Types& types);

/// Types of a value that is a measured quantity (Blue Book ed. 14, 4.3.2: Register, value).
inline constexpr Types quantity_types{Type::null_data,   Type::bit_string,   Type::int32,
                                      Type::uint32,      Type::octet_string, Type::visible_string,
                                      Type::utf8_string, Type::int8,         Type::int16,
                                      Type::uint8,       Type::uint16,       Type::int64,
                                      Type::uint64,      Type::float32,      Type::float64,
                                      Type::boolean,     Type::bcd,          Type::enumeration,
                                      Type::date_time,   Type::date,         Type::time};
/// Data, value: whatever there is.
inline constexpr Types any_types{
    Type::null_data,     Type::array,     Type::structure,    Type::boolean,        Type::bit_string,
    Type::int32,         Type::uint32,    Type::octet_string, Type::visible_string, Type::utf8_string,
    Type::bcd,           Type::int8,      Type::int16,        Type::uint8,          Type::uint16,
    Type::compact_array, Type::int64,     Type::uint64,       Type::enumeration,    Type::float32,
    Type::float64,       Type::date_time, Type::date,         Type::time,           Type::dont_care};

/// Whether a value changes by itself (an associated client sees another one each time) or by settings only.
enum class Change : std::uint8_t { fixed, dynamic };
/// Whether a server must have a method.
enum class Need : std::uint8_t { optional, mandatory };

/// Looks into a value; nothing when it is well formed down to its last element.
using Check = std::optional<Misfit> (*)(const dlms::Data& value);

struct AttributeSpec {
    std::int8_t id = 0;  ///< from 1; 1 is the logical name everywhere
    std::string_view name;
    Types types;
    Change change = Change::fixed;
    Check check = nullptr;
};
struct MethodSpec {
    std::int8_t id = 0;
    std::string_view name;
    Need need = Need::optional;
    Types argument_types;  ///< what it is called with
    Check check = nullptr;
};
/// One version of an interface class. Attribute and method ids ascend.
struct ClassSpec {
    std::uint16_t class_id = 0;
    std::uint8_t version = 0;
    std::string_view name;
    std::span<const AttributeSpec> attributes;
    std::span<const MethodSpec> methods;

    const AttributeSpec* attribute(std::int8_t id) const;
    const MethodSpec* method(std::int8_t id) const;
};

/// Every class in this folder, by class id and version ascending.
std::span<const ClassSpec* const> classes();
/// nullptr when there is none.
const ClassSpec* find_class(std::uint16_t class_id, std::uint8_t version);
/// The newest version that is here.
const ClassSpec* find_class(std::uint16_t class_id);

/// Whether a value may stand in an attribute: its type and, for structures, the type and range of every
/// element. Fault::unexpected: the class has no such attribute; bad_tag: another type; bad_value: out of
/// range. The value of the result is the attribute's row in the table.
Checked<const AttributeSpec*> conforms(const ClassSpec& spec, std::int8_t attribute, const dlms::Data& value);
/// Likewise for the argument of a method; an absent one counts as null-data.
Checked<const MethodSpec*> conforms_method(const ClassSpec& spec, std::int8_t method,
                                           const std::optional<dlms::Data>& argument);

}  // namespace wattmesh::cosem
