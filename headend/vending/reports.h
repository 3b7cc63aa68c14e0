#pragma once
#include <optional>
#include <string_view>

#include "headend/database/read_sales.h"
#include "headend/jobs/table.h"
#include "headend/vending/shopfront.h"

namespace wattmesh::headend::vending {

enum class SalesReport : std::uint8_t { sales, tax, debt, free_units, anomalies };
std::optional<SalesReport> parse_sales_report(std::string_view word);
std::string_view to_string(SalesReport report);

/// A report as a table: column names, rows, and what is added up, in notes for people.
struct ReportTable {
    jobs::Heading heading;
    std::vector<std::vector<jobs::Cell>> rows;
};
/// Throws std::length_error when it has more than database::SalesReader::rows_max rows.
ReportTable sales_report(database::Connection& connection, SalesReport report,
                         const database::SalesSpan& span, const Shopfront& front);

}  // namespace wattmesh::headend::vending
