#include "headend/database/migrator.h"

#include <postgresql/libpq-fe.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <memory>
#include <stdexcept>

#include "headend/database/bindings.h"

namespace wattmesh::headend::database {
namespace {

/// Holds the advisory lock: two `headend migrate` at once run one after the other.
class Turn {
public:
    explicit Turn(Connection& connection) : connection_(connection) {
        connection_.execute(
            "set lock_timeout = '60s'; set statement_timeout = 0; select pg_advisory_lock(1464683602)",
            "waiting for another migration");
    }
    ~Turn() {
        try {
            connection_.execute("reset role; select pg_advisory_unlock(1464683602)", "ending the migration");
        } catch (const DatabaseError&) {
            connection_.discard();  // the lock goes with the connection
        }
    }
    Turn(const Turn&) = delete;
    Turn& operator=(const Turn&) = delete;

private:
    Connection& connection_;
};

std::string read_file(const std::filesystem::path& path) {
    std::ifstream in{path, std::ios::binary};
    if (!in) throw std::runtime_error("cannot read the migration " + path.string());
    return {std::istreambuf_iterator<char>{in}, {}};
}

std::string password_clause(PGconn* connection, const std::string& role, const std::string& password) {
    const std::unique_ptr<char, decltype(&PQfreemem)> verifier{
        PQencryptPasswordConn(connection, password.c_str(), role.c_str(), "scram-sha-256"), &PQfreemem};
    if (!verifier) throw std::runtime_error("cannot make a SCRAM verifier for role " + role);
    return " password '" + std::string{verifier.get()} + "'";  // base64, '$' and ':' only: nothing to quote
}

}  // namespace

Migrator::Migrator(Connection& connection, std::filesystem::path schema)
    : connection_(connection), schema_(std::move(schema)) {
    std::error_code error;
    for (const auto& entry : std::filesystem::directory_iterator{schema_, error})
        if (entry.path().extension() == ".sql") names_.push_back(entry.path().filename().string());
    if (names_.empty())
        throw std::runtime_error("the schema folder " + schema_.string() + " holds no migrations");
    std::sort(names_.begin(), names_.end());
}

void Migrator::prepare(const std::map<std::string, std::string>& passwords) {
    const Turn turn{connection_};
    for (const std::string role : role_names) {
        int there = 0;
        connection_.run("looking for the roles", [&](soci::session& sql) {
            sql << "select count(*)::int from pg_roles where rolname = :role", use(role), soci::into(there);
        });
        if (there == 0) connection_.execute("create role " + role + " login", "creating role " + role);
        const auto password = passwords.find(role);
        if (password != passwords.end() && !password->second.empty())
            connection_.execute("alter role " + role + " login" +
                                    password_clause(connection_.handle(), role, password->second),
                                "setting the password of role " + role);
    }
    const std::string database = PQdb(connection_.handle());
    const std::unique_ptr<char, decltype(&PQfreemem)> quoted{
        PQescapeIdentifier(connection_.handle(), database.c_str(), database.size()), &PQfreemem};
    const std::string name = quoted.get();
    connection_.execute(
        "create schema if not exists wattmesh authorization wm_owner; "
        "create schema if not exists wattmesh_scope authorization wm_owner; "
        "alter database " +
            name +
            " set search_path = wattmesh, public; "
            "create extension if not exists pg_trgm schema public; "
            "grant connect, temporary on database " +
            name +
            " to wm_owner, wm_frontend, wm_monitor, wm_console, wm_vending, wm_exchange; "
            "revoke all on database " +
            name + " from public",
        "preparing the database");
}

std::string Migrator::sha256(const std::string& text) {
    return connection_.run("hashing a migration", [&](soci::session& sql) {
        std::string hash;
        sql << "select encode(sha256(convert_to(:text, 'UTF8')), 'hex')", use(text), soci::into(hash);
        return hash;
    });
}

std::vector<Migrator::File> Migrator::pending_files() {
    std::map<std::string, std::string> applied;
    connection_.run("reading the applied migrations", [&](soci::session& sql) {
        int there = 0;
        sql << "select (to_regclass('wattmesh.migration') is not null)::int", soci::into(there);
        if (there == 0) return;
        const soci::rowset<soci::row> rows =
            (sql.prepare << "select name, sha256 from migration order by name");
        for (const auto& row : rows) applied.emplace(row.get<std::string>(0), row.get<std::string>(1));
    });
    for (const auto& [name, hash] : applied)
        if (!std::binary_search(names_.begin(), names_.end(), name))
            throw std::runtime_error("the database holds migration " + name + ", which " + schema_.string() +
                                     " does not: this program is older than its database");
    std::vector<File> pending;
    for (const auto& name : names_) {
        File file{name, read_file(schema_ / name), {}};
        file.sha256 = sha256(file.text);
        const auto found = applied.find(name);
        if (found == applied.end()) {
            if (!applied.empty() && name < applied.rbegin()->first)
                throw std::runtime_error("migration " + name + " comes before " + applied.rbegin()->first +
                                         ", which is applied: give it a later timestamp");
            pending.push_back(std::move(file));
        } else if (found->second != file.sha256) {
            throw std::runtime_error(
                "migration " + name +
                " was changed after it had been applied: restore the file and add a new one instead");
        }
    }
    return pending;
}

void Migrator::apply(const File& file, Instant now) {
    try {
        Transaction transaction{connection_};
        connection_.execute(file.text, "applying it");
        connection_.run("recording it", [&](soci::session& sql) {
            sql << "insert into migration (name, sha256, applied_us) values (:name, :sha, :now)",
                use(file.name), use(file.sha256), use(now);
        });
        transaction.commit();
    } catch (const DatabaseError& error) {
        throw std::runtime_error("migration " + file.name +
                                 " failed, nothing of it is applied: " + error.what());
    }
}

std::vector<std::string> Migrator::migrate(Instant now) {
    const Turn turn{connection_};
    connection_.execute(
        "set role wm_owner; create table if not exists migration (name text primary key, sha256 text not "
        "null, "
        "applied_us bigint not null); "
        "grant usage on schema wattmesh to wm_frontend, wm_monitor, wm_console; "
        "grant select on migration to wm_frontend, wm_monitor, wm_console, wm_vending",
        "preparing the migration table");
    std::vector<std::string> applied;
    for (const auto& file : pending_files()) {
        apply(file, now);
        applied.push_back(file.name);
    }
    return applied;
}

std::vector<std::string> Migrator::pending() {
    std::vector<std::string> names;
    for (const auto& file : pending_files()) names.push_back(file.name);
    return names;
}

}  // namespace wattmesh::headend::database
