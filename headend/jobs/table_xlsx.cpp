#include <xlsxwriter.h>

#include <unistd.h>

#include <array>
#include <cassert>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <utility>

#include "headend/jobs/table.h"

namespace wattmesh::headend::jobs {
namespace {

constexpr std::uint32_t rows_max = 1'000'000;

/// A file of our own that goes with the object.
class ScratchFile {
public:
    ScratchFile() {
        std::string name = (std::filesystem::temp_directory_path() / "wattmesh-report-XXXXXX").string();
        const int file = ::mkstemp(name.data());
        if (file < 0) throw std::runtime_error("cannot make a temporary file for the report");
        ::close(file);
        path_ = name;
    }
    ~ScratchFile() {
        std::error_code ignored;
        std::filesystem::remove(path_, ignored);
    }
    ScratchFile(const ScratchFile&) = delete;
    ScratchFile& operator=(const ScratchFile&) = delete;
    const std::string& path() const { return path_; }

private:
    std::string path_;
};

class XlsxWriter : public TableWriter {
public:
    explicit XlsxWriter(const Heading& heading) : columns_(heading.columns.size()) {
        lxw_workbook_options options{};
        options.constant_memory = LXW_TRUE;
        book_ = workbook_new_opt(file_.path().c_str(), &options);
        if (book_ == nullptr) throw std::runtime_error("cannot begin an XLSX file");
        sheet_ = workbook_add_worksheet(book_, nullptr);
        auto* const bold = workbook_add_format(book_);
        format_set_bold(bold);
        instant_ = workbook_add_format(book_);
        format_set_num_format(instant_, "yyyy-mm-dd hh:mm");
        percent_ = workbook_add_format(book_);
        format_set_num_format(percent_, "0.0%");
        check(worksheet_write_string(sheet_, row_++, 0, heading.title.c_str(), bold));
        for (const auto& note : heading.notes)
            check(worksheet_write_string(sheet_, row_++, 0, note.c_str(), nullptr));
        ++row_;
        for (std::size_t i = 0; i < columns_; ++i) {
            const auto column = static_cast<lxw_col_t>(i);
            worksheet_set_column(sheet_, column, column, heading.columns[i].width + 2, nullptr);
            check(worksheet_write_string(sheet_, row_, column, heading.columns[i].name.c_str(), bold));
        }
        worksheet_freeze_panes(sheet_, ++row_, 0);
    }
    ~XlsxWriter() override {
        if (book_ != nullptr) lxw_workbook_free(book_);
    }
    XlsxWriter(const XlsxWriter&) = delete;
    XlsxWriter& operator=(const XlsxWriter&) = delete;

    void row(const std::vector<Cell>& cells) override {
        assert(cells.size() == columns_);
        if (row_ >= rows_max)
            throw std::length_error(
                "an XLSX report holds at most 1 000 000 rows: take CSV, or a shorter span");
        for (std::size_t i = 0; i < cells.size(); ++i) write(static_cast<lxw_col_t>(i), cells[i]);
        ++row_;
    }

    Buffer finish() override {
        const auto error = workbook_close(std::exchange(book_, nullptr));
        if (error != LXW_NO_ERROR)
            throw std::runtime_error(std::string{"cannot write the XLSX file: "} + lxw_strerror(error));
        std::ifstream in{file_.path(), std::ios::binary};
        return {std::istreambuf_iterator<char>{in}, {}};
    }

private:
    static void check(lxw_error error) {
        if (error != LXW_NO_ERROR)
            throw std::runtime_error(std::string{"cannot write an XLSX cell: "} + lxw_strerror(error));
    }
    void write(lxw_col_t column, const Cell& cell) {
        if (const auto* text = std::get_if<std::string>(&cell))
            check(worksheet_write_string(sheet_, row_, column, text->c_str(), nullptr));
        else if (const auto* number = std::get_if<std::int64_t>(&cell))
            check(worksheet_write_number(sheet_, row_, column, static_cast<double>(*number), nullptr));
        else if (const auto* decimal = std::get_if<Decimal>(&cell))
            check(worksheet_write_number(sheet_, row_, column, std::stod(to_string(*decimal)),
                                         places(decimal->places)));
        else if (const auto* tenths = std::get_if<Tenths>(&cell))
            check(worksheet_write_number(sheet_, row_, column, tenths->value / 1000.0, percent_));
        else if (const auto* at = std::get_if<Instant>(&cell))
            // days since 1899-12-30 (ECMA-376 part 1, 18.17.4)
            check(worksheet_write_number(sheet_, row_, column,
                                         static_cast<double>(epoch_us(*at)) / 86'400e6 + 25'569, instant_));
    }
    lxw_format* places(int count) {
        auto*& format = places_[static_cast<std::size_t>(count)];
        if (format == nullptr) {
            format = workbook_add_format(book_);
            format_set_num_format(
                format,
                count == 0 ? "0" : ("0." + std::string(static_cast<std::size_t>(count), '0')).c_str());
        }
        return format;
    }

    ScratchFile file_;
    std::size_t columns_;
    lxw_workbook* book_ = nullptr;
    lxw_worksheet* sheet_ = nullptr;
    lxw_format *instant_ = nullptr, *percent_ = nullptr;
    std::array<lxw_format*, 10> places_{};
    lxw_row_t row_ = 0;
};

}  // namespace

std::unique_ptr<TableWriter> xlsx_writer(const Heading& heading) {
    return std::make_unique<XlsxWriter>(heading);
}

}  // namespace wattmesh::headend::jobs
