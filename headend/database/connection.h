#pragma once
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <unordered_map>

#include "protocol/base/time.h"

namespace soci {
class session;
}
struct pg_conn;
struct pg_result;

namespace wattmesh::headend::database {

struct DatabaseSettings {
    std::string
        connection;  ///< libpq keywords: "host=... port=... dbname=wattmesh user=wm_frontend password=..."
    int statement_timeout_ms = 30'000;  ///< one statement; the server cancels it
    int lock_timeout_ms = 5'000;        ///< waiting for one lock
    int connect_timeout_s = 3;
    int backoff_ms_max =
        5'000;  ///< after a failed connect, the next attempt waits 100 ms, doubled up to this
};

/// What a caller can do about it.
enum class Trouble {
    unavailable,  ///< server down, shutting down, full, or too slow: nothing was stored; try again later
    contention,   ///< deadlock or serialization failure: roll back and try again at once
    refused,      ///< the statement itself is wrong or forbidden: a mistake of ours or of the set-up
};

/// Thrown by everything in headend/database. `what()` names what was being done and may hold server text: it
/// goes to the log, never to a client.
class DatabaseError : public std::runtime_error {
public:
    DatabaseError(Trouble trouble, std::string state, const std::string& what)
        : std::runtime_error(what), trouble_(trouble), state_(std::move(state)) {}
    Trouble trouble() const { return trouble_; }
    const std::string& state() const {
        return state_;
    }  ///< SQLSTATE, empty when the connection itself failed

private:
    Trouble trouble_;
    std::string state_;
};

/// One PostgreSQL session: connects at first use, reconnects after a loss, and is used by one thread at a
/// time. The password in `settings.connection` never appears in an error.
class Connection {
public:
    explicit Connection(DatabaseSettings settings);
    ~Connection();
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;

    /// The live SOCI session. Throws DatabaseError unavailable when there is no connection and none can be
    /// made now (inside the back-off this returns at once).
    soci::session& sql();
    /// libpq handle of the same session, for COPY.
    pg_conn* handle();
    /// The name under which this session keeps the statement planned; plans it now when it is new.
    std::string kept(const std::string& statement, std::string_view doing);
    /// Drops the connection; the next sql() makes a new one.
    void discard();
    /// False before the first use and after a loss that was noticed.
    bool connected() const { return alive(); }

    /// Runs `work(soci::session&)`; whatever it throws leaves as DatabaseError, and a lost connection is
    /// dropped. `doing` completes "while ..." in the error.
    template <class Work>
    auto run(std::string_view doing, Work&& work) {
        try {
            return work(sql());
        } catch (...) {
            fail(doing);
        }
    }

    /// Runs SQL text of our own (no parameters, several statements allowed); `doing` names it in the error.
    void execute(const std::string& statements, std::string_view doing);

    /// Throws what libpq says went wrong. `answer` may be null: then the connection itself failed.
    [[noreturn]] void refuse(const pg_result* answer, std::string_view doing);

private:
    friend class Transaction;
    void connect();
    bool alive() const;
    /// From a catch block: throws the current exception as DatabaseError.
    [[noreturn]] void fail(std::string_view doing);

    DatabaseSettings settings_;
    bool farewell_ = false;  ///< the server ended the session; stands before session_, which may still set it
    std::unique_ptr<soci::session> session_;
    std::unordered_map<std::string, std::string> kept_;  ///< name by statement, of this session
    bool in_transaction_ = false;
    std::int64_t next_attempt_ms_ = 0;
    int backoff_ms_ = 0;
};

/// Rolls back unless committed. The caller of repositories owns it.
class Transaction {
public:
    explicit Transaction(Connection& connection);
    ~Transaction();
    Transaction(const Transaction&) = delete;
    Transaction& operator=(const Transaction&) = delete;
    void commit();

private:
    Connection& connection_;
    bool open_ = true;
};

}  // namespace wattmesh::headend::database
