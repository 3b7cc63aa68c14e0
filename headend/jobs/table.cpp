#include "headend/jobs/table.h"

#include <fmt/format.h>

#include <array>
#include <cassert>

namespace wattmesh::headend::jobs {
namespace {

struct Row {
    TableFormat format;
    std::string_view word, media_type;
};
constexpr std::array rows{
    Row{TableFormat::csv, "csv", "text/csv; charset=utf-8"},
    Row{TableFormat::xlsx, "xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"},
    Row{TableFormat::pdf, "pdf", "application/pdf"}};

}  // namespace

std::string to_string(const Decimal& decimal) {
    assert(decimal.places >= 0 && decimal.places <= 9);
    const bool negative = decimal.value < 0;
    // of the smallest value too
    const auto magnitude =
        negative ? 0 - static_cast<std::uint64_t>(decimal.value) : static_cast<std::uint64_t>(decimal.value);
    auto digits = std::to_string(magnitude);
    const auto places = static_cast<std::size_t>(decimal.places);
    if (digits.size() <= places) digits.insert(0, places + 1 - digits.size(), '0');
    if (places > 0) digits.insert(digits.size() - places, ".");
    return (negative ? "-" : "") + digits;
}

std::optional<TableFormat> parse_table_format(std::string_view word) {
    for (const auto& row : rows)
        if (row.word == word) return row.format;
    return std::nullopt;
}
std::string_view extension(TableFormat format) { return rows[static_cast<std::size_t>(format)].word; }
std::string_view media_type(TableFormat format) { return rows[static_cast<std::size_t>(format)].media_type; }

std::unique_ptr<TableWriter> table_writer(TableFormat format, const Heading& heading) {
    switch (format) {
        case TableFormat::csv:
            return csv_writer(heading);
        case TableFormat::xlsx:
            return xlsx_writer(heading);
        case TableFormat::pdf:
            return pdf_writer(heading);
    }
    return nullptr;
}

std::string minute_text(Instant at) {
    const auto day = std::chrono::floor<std::chrono::days>(at);
    const std::chrono::year_month_day date{day};
    const auto minutes = (at - day) / std::chrono::minutes{1};
    return fmt::format("{:04}-{:02}-{:02} {:02}:{:02}", int{date.year()}, unsigned{date.month()},
                       unsigned{date.day()}, minutes / 60, minutes % 60);
}

}  // namespace wattmesh::headend::jobs
