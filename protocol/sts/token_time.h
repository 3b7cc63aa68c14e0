#pragma once
#include <optional>
#include <string_view>

#include "protocol/base/id.h"
#include "protocol/base/time.h"

/// Token identifiers: whole minutes since the base date of the vending key. Source: IEC 62055-41, 6.3.5;
/// base dates: edition 3, 6.1.9.
namespace wattmesh::sts {

/// 24 bits. A meter takes each one once.
using Tid = Id<struct TidTag, std::uint32_t>;
inline constexpr Tid tid_last{0xFFFFFF};

/// 1 January, 00:00 UTC, of these years. It belongs to the vending key, not to meter or server.
enum class BaseDate : std::uint8_t { y1993 = 93, y2014 = 14, y2035 = 35 };
std::optional<BaseDate> base_date(unsigned year);
/// "93", "14" or "35", as key derivation writes it.
std::string_view code_of(BaseDate base);
Instant start_of(BaseDate base);

/// Seconds are cut off. Nothing before the base date and after its last minute, some 31.9 years later.
std::optional<Tid> tid_at(BaseDate base, Instant at);
Instant instant_of(BaseDate base, Tid tid);

/// The minute 00:01 of every day is kept for special tokens, which so never collide with ordinary ones.
constexpr bool reserved(Tid tid) { return tid.value % (24 * 60) == 1; }
/// `tid`, or the minute after it when that is reserved.
constexpr Tid ordinary(Tid tid) { return {reserved(tid) ? tid.value + 1 : tid.value}; }

/// How many minutes identifiers may run ahead of the clock when many tokens fall into one minute.
inline constexpr std::uint32_t tid_lead_max = 60;
/// The identifier for the next ordinary token of a meter: the present minute, or the first free one behind
/// the last that was given out. Nothing when that would be more than `lead_max` minutes ahead, or none is
/// left.
std::optional<Tid> next_tid(Tid now, std::optional<Tid> last, std::uint32_t lead_max = tid_lead_max);

/// Key expiry number: the key serves identifiers whose upper octet is not above it. 255 serves all.
using KeyExpiry = std::uint8_t;
constexpr bool serves(KeyExpiry expiry, Tid tid) { return tid.value >> 16 <= expiry; }
/// The first instant that the key no longer serves.
Instant end_of(BaseDate base, KeyExpiry expiry);

}  // namespace wattmesh::sts
