#pragma once
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "headend/database/connection.h"
#include "protocol/base/bytes.h"
#include "protocol/base/id.h"

namespace wattmesh::headend::database {

/// A parameter of a kept statement, as PostgreSQL reads it.
class Parameter {
public:
    Parameter(std::int64_t number) : text_(std::to_string(number)) {}
    Parameter(std::string text) : text_(std::move(text)) {}
    Parameter(Instant at) : Parameter(epoch_us(at)) {}
    Parameter(Bytes octets) : text_("\\x" + to_hex(octets)) {}
    template <class Tag, class T>
    Parameter(Id<Tag, T> id) : Parameter(static_cast<std::int64_t>(id.value)) {}
    const char* text() const { return text_.c_str(); }

private:
    std::string text_;
};

/// Many rows of integers and texts at once, in PostgreSQL's binary format: ten times as fast as SOCI's
/// rowset, which makes an object and a text of every value. `$1`, `$2` ... in the statement are bigints.
class BinaryRows {
public:
    BinaryRows(Connection& connection, const std::string& statement,
               std::initializer_list<std::int64_t> parameters, std::string_view doing);
    /// Of a statement that runs often: the session plans it at its first use and keeps it until it ends. Its
    /// text is the same each time, and its parameters have the types that it gives them.
    static BinaryRows kept(Connection& connection, const std::string& statement,
                           std::initializer_list<Parameter> parameters, std::string_view doing);

    int size() const { return size_; }
    bool is_null(int row, int column) const;
    /// Of smallint, integer or bigint. A null or another type is a mistake of ours: DatabaseError.
    std::int64_t integer(int row, int column) const;
    std::optional<std::int64_t> maybe(int row, int column) const;
    std::string_view text(int row, int column) const;
    /// Of bytea; empty when it is null.
    Buffer octets(int row, int column) const;

private:
    BinaryRows() = default;
    struct Clear {
        void operator()(pg_result* result) const;
    };
    std::unique_ptr<pg_result, Clear> result_;
    int size_ = 0;
};

}  // namespace wattmesh::headend::database
