#include "protocol/sts/token_time.h"

#include <algorithm>

namespace wattmesh::sts {
namespace {

constexpr int year_of(BaseDate base) {
    return base == BaseDate::y1993 ? 1993 : base == BaseDate::y2014 ? 2014 : 2035;
}

}  // namespace

std::optional<BaseDate> base_date(unsigned year) {
    switch (year) {
        case 93:
        case 1993:
            return BaseDate::y1993;
        case 14:
        case 2014:
            return BaseDate::y2014;
        case 35:
        case 2035:
            return BaseDate::y2035;
        default:
            return std::nullopt;
    }
}

std::string_view code_of(BaseDate base) {
    return base == BaseDate::y1993 ? "93" : base == BaseDate::y2014 ? "14" : "35";
}

Instant start_of(BaseDate base) { return std::chrono::sys_days{std::chrono::year{year_of(base)} / 1 / 1}; }

std::optional<Tid> tid_at(BaseDate base, Instant at) {
    const auto minutes = std::chrono::floor<std::chrono::minutes>(at - start_of(base)).count();
    if (minutes < 0 || minutes > tid_last.value) return std::nullopt;
    return Tid{static_cast<std::uint32_t>(minutes)};
}

Instant instant_of(BaseDate base, Tid tid) { return start_of(base) + std::chrono::minutes{tid.value}; }

std::optional<Tid> next_tid(Tid now, std::optional<Tid> last, std::uint32_t lead_max) {
    const Tid next = ordinary(last ? Tid{std::max(now.value, last->value + 1)} : now);
    // An ordinary minute follows a reserved one: at the edge of the lead it is still within it.
    if (next > tid_last || next.value > ordinary(Tid{now.value + lead_max}).value) return std::nullopt;
    return next;
}

Instant end_of(BaseDate base, KeyExpiry expiry) {
    return start_of(base) + std::chrono::minutes{(std::int64_t{expiry} + 1) * 65'536};
}

}  // namespace wattmesh::sts
