#pragma once
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>
#include <variant>

namespace wattmesh {

/// What a peer did wrong. `offset` in Error counts octets from the start of the message that was being
/// decoded.
enum class Fault : std::uint8_t {
    truncated,
    bad_tag,
    bad_version,
    bad_value,
    bad_checksum,
    too_long,
    too_deep,
    trailing,
    not_authentic,
    replayed,
    unsupported,
    refused,
    unexpected,
};

/// Stable lower-case word for counters, logs and messages.
constexpr std::string_view to_string(Fault fault) {
    switch (fault) {
        case Fault::truncated:
            return "truncated";
        case Fault::bad_tag:
            return "bad_tag";
        case Fault::bad_version:
            return "bad_version";
        case Fault::bad_value:
            return "bad_value";
        case Fault::bad_checksum:
            return "bad_checksum";
        case Fault::too_long:
            return "too_long";
        case Fault::too_deep:
            return "too_deep";
        case Fault::trailing:
            return "trailing";
        case Fault::not_authentic:
            return "not_authentic";
        case Fault::replayed:
            return "replayed";
        case Fault::unsupported:
            return "unsupported";
        case Fault::refused:
            return "refused";
        case Fault::unexpected:
            return "unexpected";
    }
    return "?";
}

struct Error {
    Fault fault{};
    std::size_t offset = 0;
    friend bool operator==(const Error&, const Error&) = default;
};

/// A value, or what the peer did wrong. Reading the side that is not there is our own mistake and asserts.
template <class T>
class [[nodiscard]] Result {
public:
    Result(T value) : content_(std::move(value)) {}
    Result(Error error) : content_(error) {}

    bool has_value() const { return content_.index() == 0; }
    explicit operator bool() const { return has_value(); }
    T& value() & {
        assert(has_value());
        return *std::get_if<0>(&content_);
    }
    const T& value() const& {
        assert(has_value());
        return *std::get_if<0>(&content_);
    }
    T&& value() && {
        assert(has_value());
        return std::move(*std::get_if<0>(&content_));
    }
    T& operator*() & { return value(); }
    const T& operator*() const& { return value(); }
    T&& operator*() && { return std::move(*this).value(); }
    T* operator->() { return &value(); }
    const T* operator->() const { return &value(); }
    Error error() const {
        assert(!has_value());
        return *std::get_if<1>(&content_);
    }

private:
    std::variant<T, Error> content_;
};

}  // namespace wattmesh
