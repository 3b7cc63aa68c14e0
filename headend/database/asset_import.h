#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "headend/database/line_file.h"
#include "headend/database/network.h"

namespace wattmesh::headend::database {

struct AssetOptions {
    TenantId tenant;
    Instant now{};
    /// From when on ties hold whose line says nothing.
    Instant since{};
    /// Only find out what the file would do.
    bool dry_run = false;
    /// For the audit log: who imports, why, and what the file is called.
    std::string actor, reason, file;
};

struct AssetLineReport {
    int line = 0;
    std::string kind, number;  ///< as the line has them
    LineOutcome outcome{};
    std::string why;  ///< accepted: what was done; refused: the reason, the field and the way out
};

struct AssetReport {
    int accepted = 0, unchanged = 0, refused = 0;  ///< lines
    std::string sha256;                            ///< of the file, upper-case hexadecimal
    std::vector<AssetLineReport> lines;
    bool complete() const { return refused == 0; }
};

/// The utility's list of its network and customers (line_file.h, kind "assets"), one thing a line:
///
///   kind          number       name  parent
///   substation    the          x
///   feeder        utility's    x     substation
///   transformer   own          x     feeder
///   usage_point                (x)   transformer
///   customer                   x     usage point, may be left out
///   meter         on its             usage point; of a summary meter its transformer
///   concentrator  plate              transformer
///
/// `since` says from when on it hangs there (local date or date and minute). What hung elsewhere is moved.
/// A usage point takes another meter, and a transformer another concentrator, only from a line that names the
/// old one in `replaces`: a mistyped number must not become an exchange. `final_wh` and `start_wh` are what
/// the old and the new meter's register stood at. `area` is needed where there are several; `latitude` and
/// `longitude` in degrees; customers have `address` and `phone`.
/// A line that is refused changes nothing and stops no other. Running the file again changes nothing.
class AssetImport {
public:
    explicit AssetImport(Connection& connection) : connection_(connection) {}

    /// One transaction. Throws std::runtime_error, saying what is wrong, when the text is no list of assets
    /// at all, and DatabaseError.
    AssetReport run(std::string_view text, const AssetOptions& options);

private:
    Connection& connection_;
};

}  // namespace wattmesh::headend::database
