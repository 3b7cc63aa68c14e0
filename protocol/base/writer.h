#pragma once
#include <cassert>
#include <cstdint>

#include "protocol/base/bytes.h"

namespace wattmesh {

/// Appends big-endian fields to an owned buffer.
class Writer {
public:
    Writer& u8(std::uint8_t value) {
        out_.push_back(value);
        return *this;
    }
    Writer& i8(std::int8_t value) { return u8(static_cast<std::uint8_t>(value)); }
    Writer& u16(std::uint16_t value) { return number(value, 2); }
    Writer& i16(std::int16_t value) { return u16(static_cast<std::uint16_t>(value)); }
    Writer& u24(std::uint32_t value) { return number(value, 3); }
    Writer& u32(std::uint32_t value) { return number(value, 4); }
    Writer& i32(std::int32_t value) { return u32(static_cast<std::uint32_t>(value)); }
    Writer& u64(std::uint64_t value) { return number(value, 8); }
    Writer& i64(std::int64_t value) { return u64(static_cast<std::uint64_t>(value)); }
    Writer& u16_le(std::uint16_t value) {
        return u8(static_cast<std::uint8_t>(value)).u8(static_cast<std::uint8_t>(value >> 8));
    }
    Writer& bytes(Bytes value) {
        out_.insert(out_.end(), value.begin(), value.end());
        return *this;
    }

    std::size_t size() const { return out_.size(); }
    /// Makes room for `size` octets in all, so that appending up to there allocates nothing.
    void reserve(std::size_t size) { out_.reserve(size); }
    /// Overwrites two octets written before, for a length that is known only afterwards.
    void patch_u16(std::size_t position, std::uint16_t value) {
        assert(position + 2 <= out_.size());
        out_[position] = static_cast<std::uint8_t>(value >> 8);
        out_[position + 1] = static_cast<std::uint8_t>(value);
    }
    Bytes view() const { return out_; }
    Buffer take() { return std::move(out_); }

private:
    Writer& number(std::uint64_t value, int octets) {
        for (int shift = (octets - 1) * 8; shift >= 0; shift -= 8)
            u8(static_cast<std::uint8_t>(value >> shift));
        return *this;
    }

    Buffer out_;
};

}  // namespace wattmesh
