#pragma once
// SOCI includes its own parts in an order that needs soci.h first.
#include <soci/soci.h>

#include <cassert>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "protocol/base/bytes.h"
#include "protocol/base/id.h"
#include "protocol/base/obis.h"
#include "protocol/base/time.h"

/// How domain values travel through SOCI: integers as bigint, instants as epoch microseconds, octets as
/// PostgreSQL's hex text. Only the .cpp files of this folder include it.
namespace wattmesh::headend::database {

/// bytea literal for a bound parameter.
inline std::string bytea(Bytes octets) { return "\\x" + to_hex(octets); }
inline std::string bytea(const JournalId& journal) { return bytea(Bytes{journal.octets}); }
inline Buffer from_bytea(std::string_view text) {
    if (text.substr(0, 2) != "\\x") throw soci::soci_error("a bytea column did not come as hexadecimal");
    return from_hex(text.substr(2)).value_or(Buffer{});
}

/// soci::use for what outlives the statement. `sql << ...` runs when its own temporary dies, after any
/// temporary bound to it has died: so those do not compile.
template <class T>
auto use(const T& value) {
    static const std::string unnamed;  // the container keeps a reference to the name
    return soci::use(value, unnamed);
}
template <class T>
auto use(const T&& value) = delete;

inline long long number_of(const DeviceNumber& number) { return static_cast<long long>(number.integer()); }
DeviceNumber device_number(long long number);

inline std::string element_text(const DeviceNumber& number) { return std::to_string(number_of(number)); }
inline std::string element_text(std::int64_t number) { return std::to_string(number); }
template <class Tag, class T>
std::string element_text(const Id<Tag, T>& id) {
    return std::to_string(id.value);
}
/// Words of ours: nothing that would have to be quoted.
inline std::string element_text(const std::string& word) {
    assert(!word.empty() && word.find_first_of("\"\\{},") == std::string::npos);
    return word;
}
/// PostgreSQL's literal of an array, for a parameter that is cast to bigint[] or text[].
template <class Elements>
std::string array_text(const Elements& elements) {
    std::string text = "{";
    for (const auto& element : elements) text += (text.size() > 1 ? "," : "") + element_text(element);
    return text + "}";
}
/// The words of an array that came as text.
inline std::vector<std::string> array_words(std::string_view text) {
    std::vector<std::string> words;
    std::string word;
    for (const char c : text)
        if (c == ',' || c == '}') {
            if (!word.empty()) words.push_back(std::exchange(word, {}));
        } else if (c != '{') {
            word += c;
        }
    return words;
}

}  // namespace wattmesh::headend::database

namespace soci {

template <class Tag, class T>
struct type_conversion<wattmesh::Id<Tag, T>> {
    using base_type = std::conditional_t<sizeof(T) <= 4, int, long long>;
    static void from_base(const base_type& in, indicator ind, wattmesh::Id<Tag, T>& out) {
        if (ind == i_null) throw soci_error("an id is null");
        out.value = static_cast<T>(in);
    }
    static void to_base(const wattmesh::Id<Tag, T>& in, base_type& out, indicator& ind) {
        out = static_cast<base_type>(in.value);
        ind = i_ok;
    }
};

template <>
struct type_conversion<wattmesh::DeviceNumber> {
    using base_type = long long;
    static void from_base(const base_type& in, indicator ind, wattmesh::DeviceNumber& out) {
        if (ind == i_null) throw soci_error("a device number is null");
        out = wattmesh::headend::database::device_number(in);
    }
    static void to_base(const wattmesh::DeviceNumber& in, base_type& out, indicator& ind) {
        out = wattmesh::headend::database::number_of(in);
        ind = i_ok;
    }
};

template <>
struct type_conversion<wattmesh::Instant> {
    using base_type = long long;
    static void from_base(const base_type& in, indicator ind, wattmesh::Instant& out) {
        if (ind == i_null) throw soci_error("an instant is null");
        out = wattmesh::from_epoch_us(in);
    }
    static void to_base(const wattmesh::Instant& in, base_type& out, indicator& ind) {
        out = wattmesh::epoch_us(in);
        ind = i_ok;
    }
};

template <>
struct type_conversion<wattmesh::ObisCode> {
    using base_type = std::string;
    static void from_base(const base_type& in, indicator ind, wattmesh::ObisCode& out) {
        const auto code = ind == i_null ? std::nullopt : wattmesh::ObisCode::parse(in);
        if (!code) throw soci_error("not an OBIS code in the database");
        out = *code;
    }
    static void to_base(const wattmesh::ObisCode& in, base_type& out, indicator& ind) {
        out = wattmesh::to_string(in);
        ind = i_ok;
    }
};

template <class T>
struct type_conversion<std::optional<T>> {
    using base_type = typename type_conversion<T>::base_type;
    static void from_base(const base_type& in, indicator ind, std::optional<T>& out) {
        if (ind == i_null) {
            out.reset();
            return;
        }
        type_conversion<T>::from_base(in, ind, out.emplace());
    }
    static void to_base(const std::optional<T>& in, base_type& out, indicator& ind) {
        if (in)
            type_conversion<T>::to_base(*in, out, ind);
        else
            ind = i_null;
    }
};

}  // namespace soci
