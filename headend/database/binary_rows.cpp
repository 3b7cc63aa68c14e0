#include "headend/database/binary_rows.h"

#include <postgresql/libpq-fe.h>

#include <vector>

namespace wattmesh::headend::database {
namespace {

constexpr Oid bigint = 20;  // PostgreSQL 15, pg_type.dat: int8
constexpr std::string_view unknown_statement = "26000";

}  // namespace

void BinaryRows::Clear::operator()(pg_result* result) const { PQclear(result); }

BinaryRows::BinaryRows(Connection& connection, const std::string& statement,
                       std::initializer_list<std::int64_t> parameters, std::string_view doing) {
    std::vector<std::string> texts;
    texts.reserve(parameters.size());
    for (const auto parameter : parameters) texts.push_back(std::to_string(parameter));
    std::vector<const char*> values;
    values.reserve(texts.size());
    for (const auto& text : texts) values.push_back(text.c_str());
    const std::vector<Oid> types(texts.size(), bigint);
    result_.reset(PQexecParams(connection.handle(), statement.c_str(), static_cast<int>(values.size()),
                               types.data(), values.data(), nullptr, nullptr, 1));
    if (PQresultStatus(result_.get()) != PGRES_TUPLES_OK) connection.refuse(result_.get(), doing);
    size_ = PQntuples(result_.get());
}

BinaryRows BinaryRows::kept(Connection& connection, const std::string& statement,
                            std::initializer_list<Parameter> parameters, std::string_view doing) {
    std::vector<const char*> values;
    values.reserve(parameters.size());
    for (const auto& parameter : parameters) values.push_back(parameter.text());
    BinaryRows rows;
    for (const bool first : {true, false}) {
        const auto name = connection.kept(statement, doing);
        rows.result_.reset(PQexecPrepared(connection.handle(), name.c_str(), static_cast<int>(values.size()),
                                          values.data(), nullptr, nullptr, 1));
        const auto* result = rows.result_.get();
        if (PQresultStatus(result) == PGRES_TUPLES_OK) break;
        // Between the two lines the server's farewell may have arrived: the session is a new one then.
        const char* state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
        if (!first || state == nullptr || std::string_view{state} != unknown_statement)
            connection.refuse(result, doing);
    }
    rows.size_ = PQntuples(rows.result_.get());
    return rows;
}

bool BinaryRows::is_null(int row, int column) const { return PQgetisnull(result_.get(), row, column) != 0; }

std::int64_t BinaryRows::integer(int row, int column) const {
    const auto* octets = PQgetvalue(result_.get(), row, column);
    const int length = PQgetlength(result_.get(), row, column);
    if (is_null(row, column) || (length != 2 && length != 4 && length != 8))
        throw DatabaseError(Trouble::refused, "", "a column has another type than the program expects");
    // Sign first, then the octets in network order.
    std::uint64_t value = (static_cast<std::uint8_t>(octets[0]) & 0x80) != 0 ? ~std::uint64_t{0} : 0;
    for (int i = 0; i < length; ++i) value = value << 8 | static_cast<std::uint8_t>(octets[i]);
    return static_cast<std::int64_t>(value);
}

std::optional<std::int64_t> BinaryRows::maybe(int row, int column) const {
    if (is_null(row, column)) return std::nullopt;
    return integer(row, column);
}

Buffer BinaryRows::octets(int row, int column) const {
    const auto bytes = as_bytes(text(row, column));
    return {bytes.begin(), bytes.end()};
}

std::string_view BinaryRows::text(int row, int column) const {
    return {PQgetvalue(result_.get(), row, column),
            static_cast<std::size_t>(PQgetlength(result_.get(), row, column))};
}

}  // namespace wattmesh::headend::database
