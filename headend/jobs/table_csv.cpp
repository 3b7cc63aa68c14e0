#include <fmt/format.h>

#include <cassert>

#include "headend/jobs/table.h"

namespace wattmesh::headend::jobs {
namespace {

std::string quoted(const std::string& text) {
    // a spreadsheet executes what begins with one of these (OWASP: CSV injection)
    const bool formula =
        !text.empty() && std::string_view{"=+-@\t\r"}.find(text.front()) != std::string_view::npos;
    auto shown = formula ? "'" + text : text;
    if (shown.find_first_of(",\"\r\n") == std::string::npos) return shown;
    std::string out = "\"";
    for (const char c : shown) out += c == '"' ? std::string{"\"\""} : std::string{c};
    return out + "\"";
}

struct CellText {
    std::string operator()(std::monostate) const { return {}; }
    std::string operator()(const std::string& text) const { return quoted(text); }
    std::string operator()(std::int64_t number) const { return std::to_string(number); }
    std::string operator()(const Decimal& decimal) const { return to_string(decimal); }
    std::string operator()(Tenths tenths) const { return to_string(Decimal{tenths.value, 1}); }
    std::string operator()(Instant at) const {
        const auto day = std::chrono::floor<std::chrono::days>(at);
        const std::chrono::year_month_day date{day};
        const auto seconds = (at - day) / std::chrono::seconds{1};
        return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z", int{date.year()}, unsigned{date.month()},
                           unsigned{date.day()}, seconds / 3600, seconds / 60 % 60, seconds % 60);
    }
};

class CsvWriter : public TableWriter {
public:
    explicit CsvWriter(const Heading& heading) : columns_(heading.columns.size()) {
        std::vector<Cell> names;
        names.reserve(heading.columns.size());
        for (const auto& column : heading.columns) names.emplace_back(column.name);
        row(names);
    }
    void row(const std::vector<Cell>& cells) override {
        assert(cells.size() == columns_);
        for (std::size_t i = 0; i < cells.size(); ++i)
            text_ += (i == 0 ? "" : ",") + std::visit(CellText{}, cells[i]);
        text_ += "\r\n";
    }
    Buffer finish() override { return {text_.begin(), text_.end()}; }

private:
    std::size_t columns_;
    std::string text_;
};

}  // namespace

std::unique_ptr<TableWriter> csv_writer(const Heading& heading) {
    return std::make_unique<CsvWriter>(heading);
}

}  // namespace wattmesh::headend::jobs
