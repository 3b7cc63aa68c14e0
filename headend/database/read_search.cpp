#include "headend/database/read_search.h"

#include <algorithm>
#include <array>
#include <iterator>

#include "headend/database/bindings.h"
#include "headend/database/network.h"

namespace wattmesh::headend::database {
namespace {

constexpr std::size_t parts_max = 4;
/// So many are ranked; beyond that any will do, and the person types on.
constexpr int candidates_max = 200;

std::vector<std::string> parts_of(const std::string& words) {
    std::vector<std::string> parts(1);
    for (const char c : words)
        if (c != ' ' && c != '\t' && c != '\n' && c != '\r')
            parts.back() += c;
        else if (!parts.back().empty())
            parts.emplace_back();
    if (parts.back().empty()) parts.pop_back();
    if (parts.size() > parts_max) parts.resize(parts_max);
    return parts;
}
/// The letters themselves for LIKE, not what they stand for there.
std::string literal(const std::string& part) {
    std::string text;
    for (const char c : part) {
        if (c == '%' || c == '_' || c == '\\') text += '\\';
        text += c;
    }
    return text;
}
std::size_t characters(const std::string& utf8) {
    return static_cast<std::size_t>(
        std::count_if(utf8.begin(), utf8.end(), [](char c) { return (c & 0xC0) != 0x80; }));
}
std::optional<DeviceNumber> meter_in(const soci::row& row, std::size_t column) {
    if (row.get_indicator(column) == soci::i_null) return std::nullopt;
    return row.get<DeviceNumber>(column);
}

/// Every part in the text, which the index narrows down by pairs of letters. `text` is the index's own
/// expression.
std::string holds_all(const std::string& text) {
    std::string condition = "letter_pairs(" + text + ") @> (letter_pairs(:p0) || letter_pairs(:p1) || " +
                            "letter_pairs(:p2) || letter_pairs(:p3))";
    for (std::size_t i = 0; i < parts_max; ++i)
        condition += " and lower(" + text + ") like '%' || lower(:l" + std::to_string(i) + ") || '%'";
    return condition;
}
constexpr const char* customer_text = R"(number || E'\n' || name || E'\n' || address || E'\n' || phone)";
constexpr const char* node_text = R"(number || E'\n' || name)";

/// The parts for holds_all(); they live as long as the statement.
struct BoundParts {
    explicit BoundParts(const std::vector<std::string>& parts) {
        for (std::size_t i = 0; i < parts.size(); ++i) {
            part[i] = parts[i];
            like[i] = literal(parts[i]);
        }
    }
    template <class Statement>
    decltype(auto) bind(Statement&& statement) const {
        return (statement, soci::use(part[0], "p0"), soci::use(part[1], "p1"), soci::use(part[2], "p2"),
                soci::use(part[3], "p3"), soci::use(like[0], "l0"), soci::use(like[1], "l1"),
                soci::use(like[2], "l2"), soci::use(like[3], "l3"));
    }
    std::array<std::string, parts_max> part{}, like{};
};

}  // namespace

std::vector<Found> SearchReader::find(const std::string& words, int each_max) {
    const auto parts = parts_of(words);
    std::string together;
    for (const auto& part : parts) together += part;
    if (characters(together) < 2) return {};
    std::vector<Found> found;
    const auto append = [&](std::vector<Found> more) {
        found.insert(found.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
    };
    if (std::all_of(together.begin(), together.end(), [](char c) { return c >= '0' && c <= '9'; }) &&
        together.size() <= 12)
        append(meters_by_digits(together, each_max));
    append(concentrators(together, each_max));
    append(customers(parts, each_max));
    append(nodes(parts, each_max));
    return found;
}

std::vector<Found> SearchReader::meters_by_digits(const std::string& digits, int count_max) {
    // Digits and nothing else, checked above: in the text they tell the planner how rare they are.
    const auto text = std::string{"lpad(m.number::text, 12, '0')"};
    const auto limit = " limit " + std::to_string(candidates_max) + ")";
    return connection_.run("looking for meters", [&](soci::session& sql) {
        std::vector<Found> found;
        const auto whole = std::string(12 - std::min<std::size_t>(12, digits.size()), '0') + digits;
        const soci::rowset<soci::row> rows =
            (sql.prepare << "select x.number, coalesce(c.name, ''), coalesce(c.address, ''), t.number from ("
                            "select id, number, min(place) as place from ("
                            "(select m.id, m.number, 0 as place from meter m where m.number = " +
                                whole + ") union all (select m.id, m.number, 1 from meter m where " + text +
                                " like '%" + digits + "'" + limit +
                                " union all (select m.id, m.number, 2 from meter m where " + text +
                                " like '%" + digits + "%'" + limit +
                                ") every group by id, number order by place, number limit :count) x "
                                "left join meter_installation i on i.meter = x.id and i.to_us = :open "
                                "left join supply s on s.usage_point = i.node and s.to_us = :open "
                                "left join customer c on c.id = s.customer "
                                "left join network_node t on t.id = i.node order by x.place, x.number",
             soci::use(count_max, "count"), soci::use(never, "open"));
        for (const auto& row : rows) {
            const auto number = row.get<DeviceNumber>(0);
            auto where = row.get<std::string>(2);
            if (where.empty()) where = row.get<std::string>(3, "");
            found.push_back({"meter", to_string(number), row.get<std::string>(1), std::move(where), number});
        }
        return found;
    });
}

std::vector<Found> SearchReader::concentrators(const std::string& words, int count_max) {
    const auto like = literal(words);
    return connection_.run("looking for concentrators", [&](soci::session& sql) {
        std::vector<Found> found;
        const soci::rowset<soci::row> rows =
            (sql.prepare << "select c.number, c.name, coalesce(t.number, '') from concentrator c "
                            "left join concentrator_site s on s.concentrator = c.id and s.to_us = :open "
                            "left join network_node t on t.id = s.transformer "
                            "where lpad(c.number::text, 12, '0') like '%' || :like || '%' "
                            "or replace(lower(c.name), ' ', '') like '%' || lower(:like) || '%' "
                            "order by c.number limit :count",
             soci::use(never, "open"), soci::use(like, "like"), soci::use(count_max, "count"));
        for (const auto& row : rows)
            found.push_back({"concentrator", to_string(row.get<DeviceNumber>(0)), row.get<std::string>(1),
                             row.get<std::string>(2)});
        return found;
    });
}

std::vector<Found> SearchReader::customers(const std::vector<std::string>& parts, int count_max) {
    const BoundParts bound{parts};
    return connection_.run("looking for customers", [&](soci::session& sql) {
        std::vector<Found> found;
        const soci::rowset<soci::row> rows = bound.bind(
            (sql.prepare << "select x.number, x.name, x.address, (select m.number from supply s join "
                            "meter_installation i on i.node = s.usage_point and i.to_us = :open join meter m "
                            "on m.id = i.meter where s.customer = x.id and s.to_us = :open order by m.number "
                            "limit 1) from (select id, number, name, address from customer where "
                            "lower(number) = lower(:p0) union (select id, number, name, address from "
                            "customer where " +
                                holds_all(customer_text) + " limit " + std::to_string(candidates_max) +
                                ")) x order by lower(x.number) <> lower(:p0), strpos(lower(x.name), "
                                "lower(:p0)) <> 1, x.name, x.number limit :count",
             soci::use(never, "open"), soci::use(count_max, "count")));
        for (const auto& row : rows)
            found.push_back({"customer", row.get<std::string>(0), row.get<std::string>(1),
                             row.get<std::string>(2), meter_in(row, 3)});
        return found;
    });
}

std::vector<Found> SearchReader::nodes(const std::vector<std::string>& parts, int count_max) {
    const BoundParts bound{parts};
    return connection_.run("looking in the network", [&](soci::session& sql) {
        std::vector<Found> found;
        const soci::rowset<soci::row> rows = bound.bind((
            sql.prepare << "select x.kind::int, x.number, x.name, coalesce(p.number, ''), (select m.number "
                           "from meter_installation i join meter m on m.id = i.meter where i.node = x.id "
                           "and i.to_us = :open) from (select id, kind, number, name from network_node where "
                           "lower(number) = lower(:p0) union (select id, kind, number, name from "
                           "network_node where " +
                               holds_all(node_text) + " limit " + std::to_string(candidates_max) +
                               ")) x left join network_link l on l.node = x.id and l.to_us = :open left join "
                               "network_node p on p.id = l.parent order by lower(x.number) <> lower(:p0), "
                               "x.kind, x.number limit :count",
            soci::use(never, "open"), soci::use(count_max, "count")));
        for (const auto& row : rows)
            found.push_back({std::string{to_string(static_cast<NodeKind>(row.get<int>(0)))},
                             row.get<std::string>(1), row.get<std::string>(2), row.get<std::string>(3),
                             meter_in(row, 4)});
        return found;
    });
}

std::vector<FoundMeter> SearchReader::meters(const std::vector<DeviceNumber>& numbers) {
    const auto wanted = array_text(numbers);
    return connection_.run("looking up a list of meters", [&](soci::session& sql) {
        std::vector<FoundMeter> found;
        const soci::rowset<soci::row> rows =
            (sql.prepare << "select m.number, coalesce(c.name, ''), coalesce(c.address, '') from meter m "
                            "left join meter_installation i on i.meter = m.id and i.to_us = :open "
                            "left join supply s on s.usage_point = i.node and s.to_us = :open "
                            "left join customer c on c.id = s.customer "
                            "where m.number = any (cast(:wanted as bigint[])) order by m.number",
             soci::use(never, "open"), soci::use(wanted, "wanted"));
        for (const auto& row : rows)
            found.push_back({row.get<DeviceNumber>(0), row.get<std::string>(1), row.get<std::string>(2)});
        return found;
    });
}

}  // namespace wattmesh::headend::database
