#include "headend/database/line_file.h"

#include <Poco/Exception.h>
#include <Poco/JSON/Handler.h>
#include <Poco/JSON/Parser.h>

#include <algorithm>
#include <set>
#include <stdexcept>

namespace wattmesh::headend::database {
namespace {

using Fields = std::map<std::string, std::string, std::less<>>;

/// Why a line cannot be read.
struct Unreadable : std::runtime_error {
    using std::runtime_error::runtime_error;
};

/// Takes the members of one flat object; Poco reads the text.
class FlatObject : public Poco::JSON::Handler {
public:
    explicit FlatObject(Fields& fields) : fields_(fields) {}

    void reset() override {}
    void startObject() override {
        if (std::exchange(inside_, true)) throw Unreadable("it is not flat: it holds an object");
    }
    void endObject() override { ended_ = true; }
    void startArray() override { throw Unreadable("it is not a flat object: it holds a list"); }
    void endArray() override {}
    void key(const std::string& name) override {
        if (fields_.contains(name)) throw Unreadable("field " + shown_name(name) + " comes twice");
        if (fields_.size() == LineFile::fields_max) throw Unreadable("it has more than 32 fields");
        name_ = name;
    }
    void null() override { throw Unreadable("field " + shown_name(name_) + " is null: leave it out"); }
    void value(int number) override { put(std::to_string(number)); }
    void value(unsigned number) override { put(std::to_string(number)); }
    void value(Poco::Int64 number) override { put(std::to_string(number)); }
    void value(Poco::UInt64 number) override { put(std::to_string(number)); }
    void value(const std::string& text) override { put(text); }
    void value(double) override { refuse_type(); }
    void value(bool) override { refuse_type(); }
    bool whole() const { return ended_; }

private:
    [[noreturn]] void refuse_type() const {
        throw Unreadable("field " + shown_name(name_) + " is neither text nor a whole number");
    }
    void put(const std::string& text) {
        if (!inside_) throw Unreadable("it is not an object");
        fields_[name_] = text;
    }

    Fields& fields_;
    std::string name_;
    bool inside_ = false, ended_ = false;
};

Fields flat_object(std::string_view line) {
    Fields fields;
    const Poco::SharedPtr<FlatObject> handler{new FlatObject{fields}};
    try {
        Poco::JSON::Parser parser{handler};
        parser.setDepth(4);
        parser.parse(std::string{line});
    } catch (const Poco::Exception&) {
        throw Unreadable("it is not valid JSON");
    }
    if (!handler->whole()) throw Unreadable("it is not an object");
    return fields;
}

/// Cells of one CSV line.
std::vector<std::string> cells_of(std::string_view line, char separator) {
    std::vector<std::string> cells(1);
    bool quoted = false, closed = false;
    for (std::size_t i = 0; i < line.size(); ++i) {
        const char c = line[i];
        if (quoted) {
            if (c != '"') {
                cells.back() += c;
            } else if (i + 1 < line.size() && line[i + 1] == '"') {
                cells.back() += line[++i];
            } else {
                quoted = false;
                closed = true;
            }
        } else if (c == separator) {
            if (cells.size() == LineFile::fields_max) throw Unreadable("it has more than 32 cells");
            cells.emplace_back();
            closed = false;
        } else if (c == '"' && cells.back().empty() && !closed) {
            quoted = true;
        } else if (closed || c == '"') {
            throw Unreadable("a quote stands in the middle of a cell");
        } else {
            cells.back() += c;
        }
    }
    if (quoted) throw Unreadable("a quoted cell does not end");
    return cells;
}

bool is_header(const Fields& fields, const LineFile::Form& form) {
    const auto kind = fields.find("wattmesh"), version = fields.find("version");
    return kind != fields.end() && kind->second == form.kind && version != fields.end() &&
           version->second == std::to_string(form.version);
}

}  // namespace

std::string_view to_string(LineOutcome outcome) {
    switch (outcome) {
        case LineOutcome::accepted:
            return "accepted";
        case LineOutcome::unchanged:
            return "unchanged";
        case LineOutcome::refused:
            return "refused";
    }
    return "?";
}

std::string shown_name(std::string_view name) {
    const bool plausible =
        !name.empty() && name.size() <= 24 &&
        std::all_of(name.begin(), name.end(), [](char c) { return (c >= 'a' && c <= 'z') || c == '_'; });
    return plausible ? '"' + std::string{name} + '"' : "(not shown, it does not look like a name)";
}

LineFile::LineFile(std::string_view text, const Form& form) : rest_(text) {
    constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";
    if (rest_.starts_with(byte_order_mark)) rest_.remove_prefix(byte_order_mark.size());
    const auto first = next_line();
    if (!first) throw std::runtime_error("it is empty");
    if (first->size() > line_size_max) throw std::runtime_error("its first line is longer than 4096 octets");
    try {
        if (first->starts_with('{')) {
            if (is_header(flat_object(*first), form)) return;
            throw Unreadable("it is not {\"wattmesh\":\"" + std::string{form.kind} +
                             "\",\"version\":" + std::to_string(form.version) + "}");
        }
        separator_ = first->find(';') != std::string_view::npos ? ';' : ',';
        columns_ = cells_of(*first, separator_);
        std::set<std::string> seen;
        for (const auto& column : columns_) {
            if (std::find(form.fields.begin(), form.fields.end(), column) == form.fields.end())
                throw Unreadable("it names a column that is unknown, " + shown_name(column));
            if (!seen.insert(column).second)
                throw Unreadable("column " + shown_name(column) + " comes twice");
        }
    } catch (const Unreadable& why) {
        throw std::runtime_error(std::string{"its first line does not fit: "} + why.what());
    }
}

std::optional<std::string_view> LineFile::next_line() {
    while (!rest_.empty()) {
        auto line = rest_.substr(0, rest_.find('\n'));
        rest_.remove_prefix(std::min(rest_.size(), line.size() + 1));
        ++number_;
        if (line.ends_with('\r')) line.remove_suffix(1);
        if (line.find_first_not_of(" \t") != std::string_view::npos) return line;
    }
    return std::nullopt;
}

void LineFile::read_cells(std::string_view line, FileLine& out) const {
    auto cells = cells_of(line, separator_);
    if (cells.size() != columns_.size())
        throw Unreadable("it has " + std::to_string(cells.size()) + " cells, the first line has " +
                         std::to_string(columns_.size()));
    for (std::size_t i = 0; i < cells.size(); ++i)
        if (!cells[i].empty()) out.fields[columns_[i]] = std::move(cells[i]);
}

std::optional<FileLine> LineFile::next() {
    const auto line = next_line();
    if (!line) return std::nullopt;
    FileLine out{.number = number_, .fields = {}, .fault = {}};
    try {
        if (line->size() > line_size_max) throw Unreadable("it is longer than 4096 octets");
        if (separator_ != 0)
            read_cells(*line, out);
        else
            out.fields = flat_object(*line);
    } catch (const Unreadable& why) {
        out.fields.clear();
        out.fault = why.what();
    }
    return out;
}

}  // namespace wattmesh::headend::database
