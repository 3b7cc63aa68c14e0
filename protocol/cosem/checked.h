#pragma once
#include <cassert>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "protocol/base/result.h"

namespace wattmesh::cosem {

/// Why a value is not what its class says.
struct Misfit {
    Fault fault{};  ///< bad_tag: another type; bad_value: range, size or count; unexpected: no such
    std::string_view class_name;  ///< as in the class table, both with static storage
    std::string_view member;      ///< attribute or method
    std::string element;  ///< which element of it, counted from 1: "[2][1]"; empty for the value itself
    friend bool operator==(const Misfit&, const Misfit&) = default;
};
/// "limiter.emergency_profile[3]: bad_tag"
std::string to_string(const Misfit& misfit);

/// A value, or why the peer's Data is none. As Result, with an error that names the attribute.
template <class T>
class [[nodiscard]] Checked {
public:
    Checked(T value) : content_(std::in_place_index<0>, std::move(value)) {}
    Checked(Misfit misfit) : content_(std::in_place_index<1>, std::move(misfit)) {}

    bool has_value() const { return content_.index() == 0; }
    explicit operator bool() const { return has_value(); }
    const T& operator*() const& {
        assert(has_value());
        return *std::get_if<0>(&content_);
    }
    T&& operator*() && {
        assert(has_value());
        return std::move(*std::get_if<0>(&content_));
    }
    const T* operator->() const { return &**this; }
    const Misfit& error() const {
        assert(!has_value());
        return *std::get_if<1>(&content_);
    }

private:
    std::variant<T, Misfit> content_;
};

}  // namespace wattmesh::cosem
