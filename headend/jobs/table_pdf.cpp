#include <fmt/format.h>
#include <hpdf.h>

#include <cassert>
#include <numeric>
#include <stdexcept>

#include "headend/jobs/latin.h"
#include "headend/jobs/table.h"

namespace wattmesh::headend::jobs {
namespace {

constexpr std::size_t rows_max = 50'000;
constexpr float margin = 40, size = 8, line = 11, title_size = 13, character = 4.6F;

[[noreturn]] void on_error(HPDF_STATUS error, HPDF_STATUS detail, void*) {
    throw std::runtime_error(
        fmt::format("cannot write the PDF file: libharu error {:#x} ({})", error, detail));
}

struct CellText {
    std::string operator()(std::monostate) const { return {}; }
    std::string operator()(const std::string& text) const { return text; }
    std::string operator()(std::int64_t number) const { return std::to_string(number); }
    std::string operator()(const Decimal& decimal) const { return to_string(decimal); }
    std::string operator()(Tenths tenths) const { return to_string(Decimal{tenths.value, 1}) + " %"; }
    std::string operator()(Instant at) const { return minute_text(at); }
};

class PdfWriter : public TableWriter {
public:
    explicit PdfWriter(Heading heading)
        : heading_(std::move(heading)), document_(HPDF_New(on_error, nullptr)) {
        if (document_ == nullptr) throw std::runtime_error("cannot begin a PDF file");
        HPDF_SetCompressionMode(document_, HPDF_COMP_ALL);
        font_ = HPDF_GetFont(document_, "Helvetica", "WinAnsiEncoding");
        bold_ = HPDF_GetFont(document_, "Helvetica-Bold", "WinAnsiEncoding");
        const int wide = std::accumulate(heading_.columns.begin(), heading_.columns.end(), 0,
                                         [](int sum, const auto& column) { return sum + column.width + 2; });
        landscape_ = static_cast<float>(wide) * character > 595 - 2 * margin;
        begin_page();
    }
    ~PdfWriter() override { HPDF_Free(document_); }
    PdfWriter(const PdfWriter&) = delete;
    PdfWriter& operator=(const PdfWriter&) = delete;

    void row(const std::vector<Cell>& cells) override {
        assert(cells.size() == heading_.columns.size());
        if (++rows_ > rows_max)
            throw std::length_error(
                "a PDF report holds at most 50 000 rows: take CSV or XLSX, or a shorter span");
        if (y_ < margin + line) begin_page();
        float x = margin;
        for (std::size_t i = 0; i < cells.size(); ++i) {
            const float wide = static_cast<float>(heading_.columns[i].width + 2) * character;
            const bool text =
                std::holds_alternative<std::string>(cells[i]) || std::holds_alternative<Instant>(cells[i]);
            write(font_, size, x, wide - 6, std::visit(CellText{}, cells[i]), !text);
            x += wide;
        }
        y_ -= line;
    }

    Buffer finish() override {
        HPDF_SaveToStream(document_);
        Buffer content(HPDF_GetStreamSize(document_));
        HPDF_ResetStream(document_);
        auto length = static_cast<HPDF_UINT32>(content.size());
        HPDF_ReadFromStream(document_, content.data(), &length);
        content.resize(length);
        return content;
    }

private:
    void begin_page() {
        page_ = HPDF_AddPage(document_);
        HPDF_Page_SetSize(page_, HPDF_PAGE_SIZE_A4, landscape_ ? HPDF_PAGE_LANDSCAPE : HPDF_PAGE_PORTRAIT);
        const float wide = HPDF_Page_GetWidth(page_);
        y_ = HPDF_Page_GetHeight(page_) - margin;
        write(bold_, title_size, margin, wide - 2 * margin, heading_.title, false);
        write(font_, size, margin, wide - 2 * margin, "page " + std::to_string(++pages_), true);
        y_ -= title_size + 5;
        for (const auto& note : heading_.notes) {
            write(font_, size, margin, wide - 2 * margin, note, false);
            y_ -= line;
        }
        y_ -= 6;
        float x = margin;
        for (const auto& column : heading_.columns) {
            const float room = static_cast<float>(column.width + 2) * character;
            write(bold_, size, x, room - 6, column.name, false);
            x += room;
        }
        HPDF_Page_SetLineWidth(page_, 0.5F);
        HPDF_Page_MoveTo(page_, margin, y_ - 4);
        HPDF_Page_LineTo(page_, x, y_ - 4);
        HPDF_Page_Stroke(page_);
        y_ -= line + 4;
    }

    /// Cuts a text that does not fit, with a mark.
    void write(HPDF_Font font, float points, float x, float room, const std::string& text, bool right) {
        auto shown = latin1(text);
        HPDF_Page_SetFontAndSize(page_, font, points);
        while (shown.size() > 1 && HPDF_Page_TextWidth(page_, shown.c_str()) > room) {
            shown.resize(shown.size() - 2);
            shown += '~';
        }
        const float at = right ? x + room - HPDF_Page_TextWidth(page_, shown.c_str()) : x;
        HPDF_Page_BeginText(page_);
        HPDF_Page_TextOut(page_, at, y_, shown.c_str());
        HPDF_Page_EndText(page_);
    }

    const Heading heading_;
    HPDF_Doc document_;
    HPDF_Font font_ = nullptr, bold_ = nullptr;
    HPDF_Page page_ = nullptr;
    float y_ = 0;
    int pages_ = 0;
    std::size_t rows_ = 0;
    bool landscape_ = false;
};

}  // namespace

std::unique_ptr<TableWriter> pdf_writer(const Heading& heading) {
    return std::make_unique<PdfWriter>(heading);
}

}  // namespace wattmesh::headend::jobs
