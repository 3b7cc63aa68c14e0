#pragma once
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "headend/database/connection.h"

namespace wattmesh::headend::database {

/// The roles of the database. wm_owner owns the tables, the others are the head-end's roles.
inline constexpr const char* role_names[] = {"wm_owner",   "wm_frontend", "wm_monitor",
                                             "wm_console", "wm_vending",  "wm_exchange"};

/// Brings a database to the schema of this program: `headend migrate`.
class Migrator {
public:
    /// `connection` is an administrator's (may create roles), or wm_owner's where the roles are there
    /// already. `schema` is the folder of the .sql files. Throws std::runtime_error, naming it, when it is
    /// not there or holds none.
    Migrator(Connection& connection, std::filesystem::path schema);

    /// Makes missing roles and the schema. A role named in `passwords` gets that password (sent as a SCRAM
    /// verifier, never in clear); one that is not keeps what it has. There are no default passwords.
    void prepare(const std::map<std::string, std::string>& passwords);
    /// Applies what is missing, each file in its own transaction, and returns their names. Throws
    /// std::runtime_error that names the file when one that was applied has changed or is gone, when one
    /// comes before an applied one, or when one fails.
    std::vector<std::string> migrate(Instant now);
    /// Names of the files that still have to be applied; the same checks. For `headend serve`, which only
    /// looks.
    std::vector<std::string> pending();

private:
    struct File {
        std::string name, text, sha256;
    };
    std::vector<File> pending_files();
    void apply(const File& file, Instant now);
    std::string sha256(const std::string& text);

    Connection& connection_;
    std::filesystem::path schema_;
    std::vector<std::string> names_;
};

}  // namespace wattmesh::headend::database
