#pragma once
#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>

#include "protocol/base/bytes.h"
#include "protocol/base/result.h"

namespace wattmesh {

/// Reads big-endian fields in order. Keeps its first fault and yields zeros from then on, so a decode reads
/// like the table in the standard and checks `error()` once at the end. Never reads past its span.
class Reader {
public:
    /// `base` is added to reported offsets, for a part of a longer message.
    explicit Reader(Bytes bytes, std::size_t base = 0) : bytes_(bytes), base_(base) {}

    std::uint8_t u8() { return take(1) ? bytes_[at_ - 1] : std::uint8_t{0}; }
    std::int8_t i8() { return static_cast<std::int8_t>(u8()); }
    std::uint16_t u16() { return static_cast<std::uint16_t>(number(2)); }
    std::int16_t i16() { return static_cast<std::int16_t>(u16()); }
    std::uint32_t u24() { return static_cast<std::uint32_t>(number(3)); }
    std::uint32_t u32() { return static_cast<std::uint32_t>(number(4)); }
    std::int32_t i32() { return static_cast<std::int32_t>(u32()); }
    std::uint64_t u64() { return number(8); }
    std::int64_t i64() { return static_cast<std::int64_t>(u64()); }
    std::uint16_t u16_le() {
        const auto low = u8();
        return static_cast<std::uint16_t>(low | u8() << 8);
    }

    template <std::size_t N>
    std::array<std::uint8_t, N> array() {
        std::array<std::uint8_t, N> out{};
        const Bytes in = bytes(N);
        if (in.size() == N) std::copy(in.begin(), in.end(), out.begin());
        return out;
    }
    /// A view of the next `count` octets; empty after a fault.
    Bytes bytes(std::size_t count) { return take(count) ? bytes_.subspan(at_ - count, count) : Bytes{}; }
    /// Everything that is left.
    Bytes rest() { return bytes(remaining()); }
    /// The next octet without consuming it; nothing at the end or after a fault.
    std::optional<std::uint8_t> peek() const {
        if (error_ || at_ == bytes_.size()) return std::nullopt;
        return bytes_[at_];
    }
    void skip(std::size_t count) { take(count); }

    Reader& expect(std::uint8_t value, Fault fault = Fault::bad_tag) {
        const auto start = at_;
        if (u8() != value && !error_) fail_at(fault, start);
        return *this;
    }
    Reader& expect_end() {
        if (!error_ && at_ != bytes_.size()) fail(Fault::trailing);
        return *this;
    }
    /// Records a fault at the current position, if none is there yet.
    void fail(Fault fault) { fail_at(fault, at_); }
    /// Records a fault at an earlier position of this span.
    void fail_at(Fault fault, std::size_t position) {
        if (!error_) error_ = Error{fault, base_ + position};
    }

    const std::optional<Error>& error() const { return error_; }
    bool ok() const { return !error_; }
    std::size_t position() const { return at_; }
    std::size_t offset() const { return base_ + at_; }
    std::size_t remaining() const { return error_ ? 0 : bytes_.size() - at_; }

private:
    bool take(std::size_t count) {
        if (error_) return false;
        if (bytes_.size() - at_ < count) {
            error_ = Error{Fault::truncated, base_ + bytes_.size()};
            return false;
        }
        at_ += count;
        return true;
    }
    std::uint64_t number(std::size_t count) {
        std::uint64_t value = 0;
        for (const std::uint8_t byte : bytes(count)) value = value << 8 | byte;
        return value;
    }

    Bytes bytes_;
    std::size_t base_;
    std::size_t at_ = 0;
    std::optional<Error> error_;
};

}  // namespace wattmesh
