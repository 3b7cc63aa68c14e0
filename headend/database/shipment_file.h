#pragma once
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace wattmesh::headend::database {

/// One device's line of a shipment file.
struct ShipmentLine {
    int number = 0;  ///< in the file, from 1
    std::map<std::string, std::string, std::less<>> fields;
    std::string fault;  ///< not empty: why the line cannot be read; never quotes it, it may hold keys

    const std::string* find(std::string_view field) const {
        const auto found = fields.find(field);
        return found == fields.end() ? nullptr : &found->second;
    }
};

/// A field's name for a message. A key that stands where a name belongs is not shown.
std::string shown_name(std::string_view name);

/// Cuts the text of a manufacturer's shipment file into lines and fields; what the fields mean is not its
/// business. Two forms:
///   - JSON Lines: first {"wattmesh":"shipment","version":2}, then one flat object a line, values are text or
///     whole numbers;
///   - CSV (RFC 4180, ',' or ';', no line breaks inside quotes): first the names of the columns; an empty
///   cell
///     is a field that is not there.
/// A byte order mark, empty lines and carriage returns at line ends are passed over. A line that is wrong has
/// a fault and does not stop the next. Bounded: lines of 4096 octets, 32 fields a line.
class ShipmentFile {
public:
    static constexpr std::size_t line_size_max = 4'096, fields_max = 32;

    /// Reads the first line. Throws std::runtime_error, saying what is wrong, when it is neither form's or
    /// names a column that is not in `known_fields`. `text` stays alive.
    ShipmentFile(std::string_view text, const std::vector<std::string>& known_fields);
    /// The next line with a device; nothing at the end.
    std::optional<ShipmentLine> next();

private:
    std::optional<std::string_view> next_line();
    void read_cells(std::string_view line, ShipmentLine& out) const;

    std::string_view rest_;
    int number_ = 0;
    char separator_ = 0;  ///< 0: JSON Lines
    std::vector<std::string> columns_;
};

}  // namespace wattmesh::headend::database
