#pragma once
#include <filesystem>

#include "headend/database/vend_anchors.h"
#include "protocol/base/cipher.h"
#include "security/master_key.h"

namespace wattmesh::headend::vending {

/// Signs the end of the journal's days. In the head-end's own folder (keys.counters) are `vend-anchor.key`
/// (wrapped under the master key), its public half `vend-anchor.pub`, and `vend-anchors`, what was signed: so
/// neither anchors nor their key can be replaced in the database. One process at a time.
class AnchorKeeper {
public:
    /// Makes the key when there is none. Throws FileError, naming the file.
    AnchorKeeper(std::filesystem::path folder, const security::MasterKey& master, Random& random,
                 Ciphers& ciphers);

    /// Signs the last day that has no anchor yet, and writes it down here and in the database. Nothing when
    /// none is due.
    std::optional<database::VendAnchor> anchor(database::Connection& connection, Instant now);

private:
    std::filesystem::path folder_;
    std::unique_ptr<PrivateKey> key_;
};

/// What is wrong with the anchors that the database has, in words for a person. Needs no master key.
std::vector<std::string> anchor_troubles(database::Connection& connection, Ciphers& ciphers,
                                         const std::filesystem::path& folder, Instant now);
/// After a database was put back to an earlier day: the signed lines are put aside under another name, and
/// those that the database has begin a new file.
void begin_anchors_anew(database::Connection& connection, const std::filesystem::path& folder, Instant now);

/// What is kept of an anchor: the text, the public key and the signature, each a word of hexadecimal digits.
std::string anchor_line(const database::VendAnchor& anchor);

}  // namespace wattmesh::headend::vending
