#include "headend/database/copy_in.h"

#include <postgresql/libpq-fe.h>

#include <memory>

namespace wattmesh::headend::database {
namespace {

constexpr std::size_t flush_size = 64 * 1024;
using Answer = std::unique_ptr<PGresult, decltype(&PQclear)>;

/// Reads every result that is left, so that the connection can be used again.
void drain(PGconn* connection) {
    while (PGresult* result = PQgetResult(connection)) PQclear(result);
}

}  // namespace

CopyIn::CopyIn(Connection& connection, std::string_view target)
    : connection_(connection),
      doing_("copying rows into " + std::string{target.substr(0, target.find(' '))}) {
    const auto statement = "copy " + std::string{target} + " from stdin (format binary)";
    auto* handle = connection_.handle();
    const Answer answer{PQexec(handle, statement.c_str()), &PQclear};
    if (PQresultStatus(answer.get()) != PGRES_COPY_IN) {
        open_ = false;
        connection_.refuse(answer.get(), doing_);
    }
    out_.append("PGCOPY\n\377\r\n\0", 11);
    out_.append(8, '\0');  // flags, length of header extension
}

CopyIn::~CopyIn() {
    if (!open_) return;
    try {
        auto* handle = connection_.handle();
        PQputCopyEnd(handle, "cancelled");
        drain(handle);
    } catch (const DatabaseError&) {
        open_ = false;  // the connection is gone, and the COPY with it
    }
}

void CopyIn::number(std::uint64_t value, int octets) {
    for (int shift = (octets - 1) * 8; shift >= 0; shift -= 8)
        out_.push_back(static_cast<char>(value >> shift & 0xFF));
}

void CopyIn::row(int columns) {
    if (out_.size() >= flush_size) flush();
    number(static_cast<std::uint64_t>(columns), 2);
}
void CopyIn::i16(std::int16_t value) {
    number(2, 4);
    number(static_cast<std::uint16_t>(value), 2);
}
void CopyIn::i32(std::int32_t value) {
    number(4, 4);
    number(static_cast<std::uint32_t>(value), 4);
}
void CopyIn::i64(std::int64_t value) {
    number(8, 4);
    number(static_cast<std::uint64_t>(value), 8);
}
void CopyIn::i64(const std::optional<std::int64_t>& value) {
    if (value)
        i64(*value);
    else
        number(0xFFFFFFFF, 4);
}
void CopyIn::boolean(bool value) {
    number(1, 4);
    number(value ? 1 : 0, 1);
}
void CopyIn::null() { number(0xFFFF'FFFF, 4); }

void CopyIn::text(std::string_view value) {
    number(value.size(), 4);
    out_ += value;
}

void CopyIn::flush() {
    if (PQputCopyData(connection_.handle(), out_.data(), static_cast<int>(out_.size())) != 1) {
        open_ = false;
        connection_.refuse(nullptr, doing_);
    }
    out_.clear();
}

void CopyIn::finish() {
    number(0xFFFF, 2);
    flush();
    auto* handle = connection_.handle();
    open_ = false;
    if (PQputCopyEnd(handle, nullptr) != 1) connection_.refuse(nullptr, doing_);
    const Answer answer{PQgetResult(handle), &PQclear};
    drain(handle);
    if (PQresultStatus(answer.get()) != PGRES_COMMAND_OK) connection_.refuse(answer.get(), doing_);
}

}  // namespace wattmesh::headend::database
