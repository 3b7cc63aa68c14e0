#include <algorithm>
#include <map>

#include "headend/console/api.h"
#include "headend/console/json.h"
#include "headend/console/json_body.h"
#include "headend/database/read_search.h"

namespace wattmesh::headend::console {
namespace {

using database::Right;
using database::SearchReader;
constexpr int each_default = 6, each_max = 50;
constexpr std::size_t words_size_max = 100, list_size_max = 512U << 10U, shown_size_max = 40;
constexpr int rows_max = 10'000;

Answer search(Context& context, const Request& request) {
    const auto words = request.text("q");
    if (words.size() > words_size_max) throw Problem{400, "Bad request", "'q' has at most 100 octets."};
    const int each = request.number("each", each_default, 1, each_max);
    auto connection = context.lease(request);
    Json json;
    json.open_object().key("items").open_array();
    for (const auto& found : SearchReader{*connection}.find(words, each))
        json.open_object()
            .field("kind", found.kind)
            .field("number", found.number)
            .field("name", found.name)
            .field("where", found.where)
            .field("meter", found.meter)
            .close_object();
    return {.body = json.close_array().close_object().take()};
}

/// A row that a person pasted: the first word of a line, its separators apart.
struct PastedRow {
    int row;
    std::string text;
    std::optional<DeviceNumber> number;
    std::string problem{};
};

/// "5400 0000-0017" is a number; what follows it in the line (a name, an amount) is not looked at.
PastedRow pasted(int row, std::string_view line) {
    const auto end =
        std::find_if(line.begin(), line.end(), [](char c) { return c == ',' || c == ';' || c == '\t'; });
    auto shown = std::min(line.size(), shown_size_max);
    while (shown < line.size() && shown > 0 && (line[shown] & 0xC0) == 0x80) --shown;  // no half character
    PastedRow found{.row = row, .text = std::string{line.substr(0, shown)}, .number = {}};
    std::string digits;
    bool clean = true;
    for (auto c = line.begin(); c != end; ++c)
        if (*c >= '0' && *c <= '9')
            digits += *c;
        else if (*c != ' ' && *c != '-' && *c != '\r' && *c != '"')
            clean = false;
    if (digits.empty() && clean) {
        found.problem = "The row is blank: take it out, or type the number.";
    } else if (!clean || digits.size() > 12) {
        found.problem = "A meter number has at most twelve digits and nothing else.";
    } else {
        found.number = DeviceNumber::parse(std::string(12 - digits.size(), '0') + digits);
    }
    return found;
}

std::vector<PastedRow> rows_of(std::string_view text) {
    std::vector<PastedRow> rows;
    std::map<DeviceNumber, int> first;
    int row = 0;
    while (!text.empty()) {
        const auto end = std::min(text.find('\n'), text.size());
        if (++row > rows_max)
            throw Problem{400, "Too long a list", "A list has at most 10 000 rows. Look it up in parts."};
        auto found = pasted(row, text.substr(0, end));
        text.remove_prefix(std::min(end + 1, text.size()));
        if (found.number) {
            const auto [other, added] = first.emplace(*found.number, row);
            if (!added) {
                found.number.reset();
                found.problem = "The number stands in row " + std::to_string(other->second) + " already.";
            }
        }
        rows.push_back(std::move(found));
    }
    return rows;
}

Answer look_up(Context& context, const Request& request) {
    auto rows = rows_of(JsonBody{request.body}.text("text", list_size_max));
    std::vector<DeviceNumber> numbers;
    for (const auto& row : rows)
        if (row.number) numbers.push_back(*row.number);
    auto connection = context.lease(request);
    std::map<DeviceNumber, database::FoundMeter> known;
    for (auto& meter : SearchReader{*connection}.meters(numbers))
        known.emplace(meter.number, std::move(meter));
    Json json;
    json.open_object().field("rows", static_cast<int>(rows.size())).key("found").open_array();
    for (auto& row : rows) {
        if (!row.number) continue;
        const auto meter = known.find(*row.number);
        if (meter == known.end()) {
            row.problem = "No meter " + to_string(*row.number) +
                          " that you may see is registered. 'headend import FILE' registers meters.";
            continue;
        }
        json.open_object().field("row", row.row).field("number", *row.number);
        json.field("customer", meter->second.customer).field("address", meter->second.address).close_object();
    }
    json.close_array().key("problems").open_array();
    for (const auto& row : rows)
        if (!row.problem.empty())
            json.open_object()
                .field("row", row.row)
                .field("text", row.text)
                .field("problem", row.problem)
                .close_object();
    return {.body = json.close_array().close_object().take()};
}

}  // namespace

void add_search_routes(std::vector<Route>& routes, Context& context) {
    add_route(routes, context, "GET", "/api/search", Right::look, search);
    add_route(routes, context, "POST", "/api/search/meters", Right::look, look_up).body_size_max =
        2 * list_size_max;
}

}  // namespace wattmesh::headend::console
