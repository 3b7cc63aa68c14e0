#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "protocol/base/bytes.h"
#include "protocol/base/time.h"

namespace wattmesh::headend::jobs {

/// A decimal number as it is meant to be shown: 12'345 with 3 places is 12.345. Exact in every format.
struct Decimal {
    std::int64_t value = 0;
    int places = 0;  ///< 0..9
    bool operator==(const Decimal&) const = default;
};
std::string to_string(const Decimal& decimal);

/// An empty cell, text, a number, a percentage of whole tenths (995 is 99.5 %), an instant (UTC).
struct Tenths {
    int value = 0;
};
using Cell = std::variant<std::monostate, std::string, std::int64_t, Decimal, Tenths, Instant>;

/// What stands above a report's rows.
struct Heading {
    struct Column {
        std::string name;
        int width = 12;  ///< in characters
    };
    std::string title;
    std::vector<std::string> notes;  ///< lines under the title: span, who ordered it, when
    std::vector<Column> columns;
};

/// Writes a table row by row. One of: CSV, XLSX, PDF.
class TableWriter {
public:
    virtual ~TableWriter() = default;
    /// As many cells as columns.
    virtual void row(const std::vector<Cell>& cells) = 0;
    /// The file. Nothing is written afterwards.
    virtual Buffer finish() = 0;
};

enum class TableFormat { csv, xlsx, pdf };
std::optional<TableFormat> parse_table_format(std::string_view word);
std::string_view extension(TableFormat format);
std::string_view media_type(TableFormat format);

/// CSV: RFC 4180, UTF-8, comma, a line of column names first and no title; a text that a spreadsheet would
/// take for a formula gets an apostrophe before it.
std::unique_ptr<TableWriter> csv_writer(const Heading& heading);
/// XLSX (libxlsxwriter): numbers as numbers, frozen column names. At most 1 000 000 rows: then
/// std::length_error.
std::unique_ptr<TableWriter> xlsx_writer(const Heading& heading);
/// PDF (libharu): A4, landscape when the columns need it, column names and page number on every page. At most
/// 50 000 rows: then std::length_error. Letters outside Latin-1 are shown as '?'.
std::unique_ptr<TableWriter> pdf_writer(const Heading& heading);

std::unique_ptr<TableWriter> table_writer(TableFormat format, const Heading& heading);
/// "2026-03-10 14:15" for people.
std::string minute_text(Instant at);

}  // namespace wattmesh::headend::jobs
