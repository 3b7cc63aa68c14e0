#include "headend/database/network.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <cctype>
#include <cstdio>

#include "headend/database/bindings.h"

namespace wattmesh::headend::database {
namespace {

constexpr std::array<std::string_view, 4> kind_words{"substation", "feeder", "transformer", "usage_point"};
constexpr long long open_end = 9'223'372'036'854'775'807;

/// How the four tables of ties are called.
struct TieTable {
    std::string name, child, parent;
    std::string kind;    ///< column that holds a node's kind; empty: given by the table
    bool alone = false;  ///< a parent has only one child at a time
};
const TieTable& table_of(TieKind kind) {
    static const std::array<TieTable, 4> tables{
        {{"network_link", "node", "parent", "kind"},
         {"meter_installation", "meter", "node", "kind", true},
         {"concentrator_site", "concentrator", "transformer", "", true},
         {"supply", "usage_point", "customer", ""}}};
    return tables.at(static_cast<std::size_t>(kind));
}

NetworkNode node_of(const soci::row& row) {
    NetworkNode node{.id = row.get<NodeId>(0),
                     .area = row.get<AreaId>(1),
                     .kind = static_cast<NodeKind>(row.get<int>(2)),
                     .number = row.get<std::string>(3),
                     .name = row.get<std::string>(4)};
    if (row.get_indicator(5) == soci::i_ok) node.position = Position{row.get<int>(5), row.get<int>(6)};
    return node;
}
Customer customer_of(const soci::row& row) {
    return {row.get<CustomerId>(0),  row.get<AreaId>(1),      row.get<std::string>(2),
            row.get<std::string>(3), row.get<std::string>(4), row.get<std::string>(5)};
}
constexpr const char* node_columns =
    "select id, area, kind::int, number, name, latitude_e7, longitude_e7 from network_node ";
constexpr const char* customer_columns = "select id, area, number, name, address, phone from customer ";

/// "2026-03-10" or "2026-03-10T14:05"; PostgreSQL judges whether there is such a day, and knows no other
/// words.
bool is_local_time(const std::string& text) {
    constexpr std::string_view shape = "dddd-dd-ddTdd:dd";
    if (text.size() != 10 && text.size() != shape.size()) return false;
    for (std::size_t i = 0; i < text.size(); ++i)
        if (shape[i] == 'd' ? std::isdigit(static_cast<unsigned char>(text[i])) == 0 : text[i] != shape[i])
            return false;
    const auto two = [&](std::size_t at) { return (text[at] - '0') * 10 + (text[at + 1] - '0'); };
    const std::chrono::year_month_day day{std::chrono::year{two(0) * 100 + two(2)},
                                          std::chrono::month{static_cast<unsigned>(two(5))},
                                          std::chrono::day{static_cast<unsigned>(two(8))}};
    return day.ok() && (text.size() == 10 || (two(11) < 24 && two(14) < 60));
}

std::optional<Tie> find_tie(Connection& connection, const TieTable& table, const std::string& column,
                            std::int64_t id) {
    return connection.run("looking where something hangs", [&](soci::session& sql) -> std::optional<Tie> {
        Tie tie;
        long long child = 0, parent = 0;
        sql << "select " + table.child + ", " + table.parent + ", from_us from " + table.name + " where " +
                   column + " = :id and to_us = " + std::to_string(open_end),
            use(id), soci::into(child), soci::into(parent), soci::into(tie.from);
        if (!sql.got_data()) return std::nullopt;
        tie.child = child;
        tie.parent = parent;
        return tie;
    });
}

}  // namespace

std::string_view to_string(NodeKind kind) { return kind_words.at(static_cast<std::size_t>(kind) - 1); }

std::optional<NodeKind> parse_node_kind(std::string_view word) {
    const auto* const found = std::find(kind_words.begin(), kind_words.end(), word);
    if (found == kind_words.end()) return std::nullopt;
    return static_cast<NodeKind>(found - kind_words.begin() + 1);
}

std::string to_string(const Position& position) {
    std::array<char, 48> text{};
    std::snprintf(text.data(), text.size(), "%.7f %.7f", position.latitude_e7 / 1e7,
                  position.longitude_e7 / 1e7);
    return text.data();
}

std::optional<NetworkNode> Network::find(NodeKind kind, const std::string& number) {
    return connection_.run(
        "looking for a piece of the network", [&](soci::session& sql) -> std::optional<NetworkNode> {
            const int code = static_cast<int>(kind);
            soci::row row;
            sql << node_columns << "where tenant = :tenant and kind = :kind and number = :number",
                use(tenant_), use(code), use(number), soci::into(row);
            if (!sql.got_data()) return std::nullopt;
            return node_of(row);
        });
}

std::optional<NetworkNode> Network::find(NodeId id) {
    return connection_.run("looking for a piece of the network",
                           [&](soci::session& sql) -> std::optional<NetworkNode> {
                               soci::row row;
                               sql << node_columns << "where tenant = :tenant and id = :id", use(tenant_),
                                   use(id), soci::into(row);
                               if (!sql.got_data()) return std::nullopt;
                               return node_of(row);
                           });
}

NodeId Network::add(const NetworkNode& node) {
    return connection_.run("adding a piece of the network", [&](soci::session& sql) {
        NodeId id;
        const int kind = static_cast<int>(node.kind);
        const auto at = node.position.value_or(Position{});
        soci::indicator there = node.position ? soci::i_ok : soci::i_null;
        sql << "insert into network_node (tenant, area, kind, number, name, latitude_e7, longitude_e7) "
               "values (:tenant, "
               ":area, :kind, :number, :name, :latitude, :longitude) returning id",
            use(tenant_), use(node.area), use(kind), use(node.number), use(node.name),
            soci::use(at.latitude_e7, there), soci::use(at.longitude_e7, there), soci::into(id);
        return id;
    });
}

void Network::change(NodeId id, const std::string& name, const std::optional<Position>& position) {
    connection_.run("changing a piece of the network", [&](soci::session& sql) {
        const auto at = position.value_or(Position{});
        soci::indicator there = position ? soci::i_ok : soci::i_null;
        sql << "update network_node set name = :name, latitude_e7 = :latitude, longitude_e7 = :longitude "
               "where id = :id",
            use(name), soci::use(at.latitude_e7, there), soci::use(at.longitude_e7, there), use(id);
    });
}

std::optional<Customer> Network::customer(const std::string& number) {
    return connection_.run("looking for a customer", [&](soci::session& sql) -> std::optional<Customer> {
        soci::row row;
        sql << customer_columns << "where tenant = :tenant and number = :number", use(tenant_), use(number),
            soci::into(row);
        if (!sql.got_data()) return std::nullopt;
        return customer_of(row);
    });
}

std::optional<Customer> Network::customer(CustomerId id) {
    return connection_.run("looking for a customer", [&](soci::session& sql) -> std::optional<Customer> {
        soci::row row;
        sql << customer_columns << "where tenant = :tenant and id = :id", use(tenant_), use(id),
            soci::into(row);
        if (!sql.got_data()) return std::nullopt;
        return customer_of(row);
    });
}

CustomerId Network::add(const Customer& customer) {
    return connection_.run("adding a customer", [&](soci::session& sql) {
        CustomerId id;
        sql << "insert into customer (tenant, area, number, name, address, phone) values (:tenant, :area, "
               ":number, :name, "
               ":address, :phone) returning id",
            use(tenant_), use(customer.area), use(customer.number), use(customer.name), use(customer.address),
            use(customer.phone), soci::into(id);
        return id;
    });
}

void Network::change(const Customer& customer) {
    connection_.run("changing a customer", [&](soci::session& sql) {
        sql << "update customer set name = :name, address = :address, phone = :phone where id = :id",
            use(customer.name), use(customer.address), use(customer.phone), use(customer.id);
    });
}

std::optional<AreaId> Network::area(const std::string& name) {
    return connection_.run("looking for an area", [&](soci::session& sql) -> std::optional<AreaId> {
        AreaId id;
        sql << "select id from area where tenant = :tenant and name = :name order by id limit 1",
            use(tenant_), use(name), soci::into(id);
        if (!sql.got_data()) return std::nullopt;
        return id;
    });
}

std::optional<AreaId> Network::only_area() {
    return connection_.run("looking for the only area", [&](soci::session& sql) -> std::optional<AreaId> {
        AreaId id;
        int count = 0;
        sql << "select coalesce(min(id), 0), count(*)::int from area where tenant = :tenant", use(tenant_),
            soci::into(id), soci::into(count);
        if (count != 1) return std::nullopt;
        return id;
    });
}

std::optional<Instant> Network::local_instant(const std::string& text) {
    if (!is_local_time(text)) return std::nullopt;
    return connection_.run("reading a local time", [&](soci::session& sql) -> std::optional<Instant> {
        Instant at{};
        sql << "select at_us(cast(:text as timestamp) at time zone time_zone) from tenant where id = :tenant",
            use(text), use(tenant_), soci::into(at);
        if (!sql.got_data()) return std::nullopt;
        return at;
    });
}

std::optional<Tie> Network::of_child(TieKind kind, std::int64_t child) {
    const auto& table = table_of(kind);
    return find_tie(connection_, table, table.child, child);
}

std::optional<Tie> Network::of_parent(TieKind kind, std::int64_t parent) {
    const auto& table = table_of(kind);
    assert(table.alone);
    return find_tie(connection_, table, table.parent, parent);
}

Instant Network::free_from(TieKind kind, const Tie& tie) {
    const auto& table = table_of(kind);
    return connection_.run("looking when something was free", [&](soci::session& sql) {
        Instant at{};
        const std::int64_t parent = table.alone ? tie.parent : 0;  // row ids begin at 1
        sql << "select coalesce(max(to_us), 0) from " + table.name + " where (" + table.child +
                   " = :child or " + table.parent + " = :parent) and to_us < " + std::to_string(open_end),
            use(tie.child), use(parent), soci::into(at);
        return at;
    });
}

void Network::tie(TieKind kind, const Tie& tie, AreaId area, NodeKind node) {
    const auto& table = table_of(kind);
    connection_.run("tying two things together", [&](soci::session& sql) {
        const int code = static_cast<int>(node);
        const std::string columns = table.child + ", " + table.parent + ", from_us, tenant, area";
        if (table.kind.empty())
            sql << "insert into " + table.name + " (" + columns +
                       ") values (:child, :parent, :from, :tenant, :area)",
                use(tie.child), use(tie.parent), use(tie.from), use(tenant_), use(area);
        else
            sql << "insert into " + table.name + " (" + columns + ", " + table.kind +
                       ") values (:child, :parent, :from, :tenant, :area, :kind)",
                use(tie.child), use(tie.parent), use(tie.from), use(tenant_), use(area), use(code);
    });
}

void Network::end(TieKind kind, const Tie& tie, Instant at) {
    const auto& table = table_of(kind);
    connection_.run("untying two things", [&](soci::session& sql) {
        sql << "update " + table.name + " set to_us = :at where " + table.child +
                   " = :child and from_us = :from",
            use(at), use(tie.child), use(tie.from);
    });
}

void Network::note_register(MeterId meter, Instant at, std::int64_t wh, AreaId area) {
    connection_.run("noting a register at an exchange", [&](soci::session& sql) {
        const ObisCode total = *ObisCode::parse("1.8.0");
        sql << "insert into register_reading (meter, register, at_us, source, tenant, area, value, scaler, "
               "unit) values (:meter, :register, :at, 'exchange', :tenant, :area, :wh, 0, 30) on conflict do "
               "nothing",
            use(meter), use(total), use(at), use(tenant_), use(area), use(wh);
    });
}

}  // namespace wattmesh::headend::database
