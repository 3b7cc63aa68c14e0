#include "headend/database/connection.h"

#include <postgresql/libpq-fe.h>
#include <soci/postgresql/soci-postgresql.h>
#include <soci/soci.h>

#include <algorithm>
#include <chrono>

namespace wattmesh::headend::database {
namespace {

std::int64_t monotonic_ms() {
    using namespace std::chrono;
    const auto real = steady_clock::now().time_since_epoch();  // the back-off runs in real time
    return duration_cast<milliseconds>(real).count();
}

/// PostgreSQL 15, appendix A.
Trouble trouble_of(const std::string& state) {
    if (state == "40001" || state == "40P01") return Trouble::contention;
    const auto family = state.substr(0, 2);
    // 08 connection, 53 resources, 57 operator intervention (shutdown, cancelled by time-out), 58 system,
    // 55P03 lock time-out, 25P03 idle in transaction; none at all: the connection broke.
    if (state.empty() || family == "08" || family == "53" || family == "57" || family == "58" ||
        state == "55P03" || state == "25P03")
        return Trouble::unavailable;
    return Trouble::refused;
}

std::string first_line(const std::string& text) { return text.substr(0, text.find('\n')); }

soci::postgresql_session_backend* backend_of(soci::session& session) {
    return static_cast<soci::postgresql_session_backend*>(session.get_backend());
}

/// libpq's default writes to stderr. A server that ends this session says so with a FATAL that no query asked
/// for.
void on_notice(void* farewell, const char* text) {
    if (std::string_view{text}.substr(0, 5) == "FATAL") *static_cast<bool*>(farewell) = true;
}

}  // namespace

Connection::Connection(DatabaseSettings settings) : settings_(std::move(settings)) {}
Connection::~Connection() = default;

bool Connection::alive() const {
    return session_ != nullptr && PQstatus(backend_of(*session_)->conn_) == CONNECTION_OK;
}

soci::session& Connection::sql() {
    if (alive() && !in_transaction_) {
        // A server that went away said so on the socket: first its farewell, then the end of the stream.
        auto* connection = backend_of(*session_)->conn_;
        PQconsumeInput(connection);
        PQisBusy(connection);
        PQconsumeInput(connection);
        if (farewell_) discard();
    }
    if (alive()) return *session_;
    if (in_transaction_)
        throw DatabaseError(Trouble::unavailable, "", "the connection broke inside a transaction");
    discard();
    const auto now = monotonic_ms();
    if (now < next_attempt_ms_)
        throw DatabaseError(Trouble::unavailable, "",
                            "the database cannot be reached; waiting before the next attempt");
    try {
        connect();
        backoff_ms_ = 0;
    } catch (...) {
        discard();
        backoff_ms_ = std::clamp(backoff_ms_ * 2, 100, std::max(100, settings_.backoff_ms_max));
        next_attempt_ms_ = monotonic_ms() + backoff_ms_;
        throw;
    }
    return *session_;
}

void Connection::connect() {
    const auto text = settings_.connection +
                      // Dead peers are noticed in seconds even in the middle of a COPY.
                      " connect_timeout=" + std::to_string(settings_.connect_timeout_s) +
                      " keepalives_idle=10 keepalives_interval=5 keepalives_count=3 tcp_user_timeout=15000";
    try {
        session_ = std::make_unique<soci::session>(soci::postgresql, text);
        PQsetNoticeProcessor(backend_of(*session_)->conn_, &on_notice, &farewell_);
        // The console, and who asks for it (limited.h), finds views limited to what may be seen before the
        // tables (scope.h).
        *session_
            << "select set_config('search_path', case when current_user = 'wm_console' or "
               "current_setting('wattmesh.limited', true) = 'on' then 'wattmesh_scope, wattmesh, pg_temp' "
               "else 'wattmesh, pg_temp' end, false)";
        *session_ << "set client_min_messages = warning";
        *session_ << "set timezone = 'UTC'";
        *session_ << "set bytea_output = 'hex'";
        *session_ << "set statement_timeout = " + std::to_string(settings_.statement_timeout_ms);
        *session_ << "set lock_timeout = " + std::to_string(settings_.lock_timeout_ms);
        *session_ << "set idle_in_transaction_session_timeout = 60000";
    } catch (const soci::soci_error& error) {
        // The context of a SOCI error holds the connection string, the message does not. A wrong password or
        // a missing database is not cured by waiting, but an administrator may cure it while we wait.
        throw DatabaseError(Trouble::unavailable, "",
                            "cannot connect to the database: " + error.get_error_message());
    }
}

pg_conn* Connection::handle() { return backend_of(sql())->conn_; }

std::string Connection::kept(const std::string& statement, std::string_view doing) {
    auto* const connection = handle();  // first: it may be a new session, which keeps nothing yet
    if (const auto known = kept_.find(statement); known != kept_.end()) return known->second;
    auto name = "kept_" + std::to_string(kept_.size() + 1);
    const std::unique_ptr<PGresult, decltype(&PQclear)> result{
        PQprepare(connection, name.c_str(), statement.c_str(), 0, nullptr), &PQclear};
    if (PQresultStatus(result.get()) != PGRES_COMMAND_OK) refuse(result.get(), doing);
    return kept_.emplace(statement, std::move(name)).first->second;
}

void Connection::discard() {
    session_.reset();
    kept_.clear();
    in_transaction_ = false;
    farewell_ = false;
}

void Connection::fail(std::string_view doing) {
    const auto what = "while " + std::string{doing} + ": ";
    try {
        throw;
    } catch (const DatabaseError& error) {
        throw DatabaseError(error.trouble(), error.state(), what + error.what());
    } catch (const soci::postgresql_soci_error& error) {
        std::string state = error.sqlstate();
        // SOCI gives blanks or zero octets when the server could not say.
        if (state.find_first_not_of(std::string(" \0", 2)) == std::string::npos) state.clear();
        throw DatabaseError(alive() ? trouble_of(state) : Trouble::unavailable, state,
                            what + first_line(error.get_error_message()));
    } catch (const soci::soci_error& error) {
        throw DatabaseError(alive() ? Trouble::refused : Trouble::unavailable, "",
                            what + first_line(error.get_error_message()));
    } catch (const std::bad_cast&) {
        throw DatabaseError(Trouble::refused, "",
                            what + "a column has another type than the program expects");
    }
}

void Connection::execute(const std::string& statements, std::string_view doing) {
    const auto connection = handle();
    const std::unique_ptr<PGresult, decltype(&PQclear)> result{PQexec(connection, statements.c_str()),
                                                               &PQclear};
    const auto status = PQresultStatus(result.get());
    if (status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK || status == PGRES_EMPTY_QUERY) return;
    refuse(result.get(), doing);
}

void Connection::refuse(const pg_result* answer, std::string_view doing) {
    const char* state = answer == nullptr ? nullptr : PQresultErrorField(answer, PG_DIAG_SQLSTATE);
    const std::string code = state == nullptr ? "" : state;
    const std::string text = session_ == nullptr ? "" : PQerrorMessage(backend_of(*session_)->conn_);
    throw DatabaseError(alive() ? trouble_of(code) : Trouble::unavailable, code,
                        "while " + std::string{doing} + ": " + first_line(text));
}

Transaction::Transaction(Connection& connection) : connection_(connection) {
    connection_.execute("begin", "beginning a transaction");
    connection_.in_transaction_ = true;
}

Transaction::~Transaction() {
    if (!open_) return;
    connection_.in_transaction_ = false;
    try {
        if (connection_.alive()) connection_.execute("rollback", "rolling back");
    } catch (const DatabaseError&) {
        connection_.discard();  // the server rolls back what its client left
    }
}

void Transaction::commit() {
    // PostgreSQL answers the COMMIT of a failed transaction with a rollback and no error.
    if (PQtransactionStatus(connection_.handle()) == PQTRANS_INERROR)
        throw DatabaseError(Trouble::refused, "25P02", "while committing: an earlier statement had failed");
    connection_.execute("commit", "committing");
    connection_.in_transaction_ = false;
    open_ = false;
}

}  // namespace wattmesh::headend::database
