#pragma once
#include <optional>
#include <string>
#include <vector>

#include "headend/database/prepayment_book.h"

namespace wattmesh::headend::database {

/// An area that goes by hours of its own, and has holidays beside those of the whole utility.
struct AreaHours {
    std::string area;
    std::vector<prepayment::Hours> hours;  ///< none: it goes by those of the whole utility
    std::vector<PrepaymentHoliday> holidays;
};

/// Areas that the connection shows, by name; those without hours and holidays of their own, too.
std::vector<AreaHours> area_hours(Connection& connection);
/// Nothing when the connection shows no such area, or several of this name.
std::optional<AreaHours> area_hours(Connection& connection, const std::string& area);
/// In the caller's transaction. The area is one that area_hours() shows.
void set_area_hours(Connection& connection, const AreaHours& wanted);

}  // namespace wattmesh::headend::database
