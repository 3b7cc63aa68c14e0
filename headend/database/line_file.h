#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace wattmesh::headend::database {

/// One thing's line of a file that somebody hands in.
struct FileLine {
    int number = 0;  ///< in the file, from 1
    std::map<std::string, std::string, std::less<>> fields;
    std::string fault;  ///< not empty: why the line cannot be read; never quotes it, it may hold keys

    const std::string* find(std::string_view field) const {
        const auto found = fields.find(field);
        return found == fields.end() ? nullptr : &found->second;
    }
};

/// Why a line is not taken, in words for who handed it in; never holds a key.
struct LineRefused : std::runtime_error {
    using std::runtime_error::runtime_error;
};
enum class LineOutcome : std::uint8_t { accepted, unchanged, refused };
std::string_view to_string(LineOutcome outcome);

/// A field's name for a message. A key that stands where a name belongs is not shown.
std::string shown_name(std::string_view name);

/// Cuts a text into lines and fields; what the fields mean is not its business. Two forms:
///   - JSON Lines: first {"wattmesh":KIND,"version":VERSION}, then one flat object a line, values are text or
///     whole numbers;
///   - CSV (RFC 4180, ',' or ';', no line breaks inside quotes): first the names of the columns; an empty
///   cell
///     is a field that is not there.
/// A byte order mark, empty lines and carriage returns at line ends are passed over. A line that is wrong has
/// a fault and does not stop the next. Bounded: lines of 4096 octets, 32 fields a line.
class LineFile {
public:
    static constexpr std::size_t line_size_max = 4'096, fields_max = 32;
    struct Form {
        std::string_view kind;
        int version = 1;
        const std::vector<std::string>& fields;  ///< every one that a line may have
    };

    /// Reads the first line. Throws std::runtime_error, saying what is wrong, when it is neither form's or
    /// names a column that is not known. `text` and the form's fields stay alive.
    LineFile(std::string_view text, const Form& form);
    /// The next line with something on it; nothing at the end.
    std::optional<FileLine> next();

private:
    std::optional<std::string_view> next_line();
    void read_cells(std::string_view line, FileLine& out) const;

    std::string_view rest_;
    int number_ = 0;
    char separator_ = 0;  ///< 0: JSON Lines
    std::vector<std::string> columns_;
};

}  // namespace wattmesh::headend::database
