#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "headend/database/connection.h"
#include "protocol/base/bytes.h"

namespace wattmesh::headend::database {

/// COPY ... FROM STDIN (FORMAT binary) on SOCI's own connection (PostgreSQL 15 manual, COPY, "Binary
/// Format"). Destroyed before finish() it cancels, which fails the transaction.
class CopyIn {
public:
    /// `target` is "table (column, ...)".
    CopyIn(Connection& connection, std::string_view target);
    ~CopyIn();
    CopyIn(const CopyIn&) = delete;
    CopyIn& operator=(const CopyIn&) = delete;

    void row(int columns);
    void i16(std::int16_t value);
    void i32(std::int32_t value);
    void i64(std::int64_t value);
    void i64(const std::optional<std::int64_t>& value);
    void boolean(bool value);
    void text(std::string_view value);
    void null();
    /// Throws DatabaseError with the server's SQLSTATE, 23505 for a key that is there already.
    void finish();

private:
    void number(std::uint64_t value, int octets);
    void flush();

    Connection& connection_;
    std::string doing_;
    std::string out_;
    bool open_ = true;
};

}  // namespace wattmesh::headend::database
