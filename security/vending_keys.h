#pragma once
#include <filesystem>
#include <map>
#include <memory>

#include "protocol/sts/derivation.h"
#include "security/master_key.h"
#include "security/sts_ciphers.h"
#include "security/vending_module.h"

namespace wattmesh::security {

/// A vending key that cannot be loaded: says why, in words for the operator, never the key.
struct VendingKeyError : std::runtime_error {
    using std::runtime_error::runtime_error;
};

/// Vending keys in a private file, each wrapped under the master key with its terms as purpose: terms that
/// were changed do not unwrap. Not thread safe.
class VendingKeyFile {
public:
    /// Opens, or begins an empty one. `master` must outlive it. Throws FileError, naming the file: damaged,
    /// or of another master key.
    VendingKeyFile(std::filesystem::path file, const MasterKey& master);
    VendingKeyFile(const VendingKeyFile&) = delete;
    VendingKeyFile& operator=(const VendingKeyFile&) = delete;

    /// Takes a key, or new terms of one that is there (a refresh: the check value must be the same). Durable
    /// when it returns. Throws VendingKeyError (wrong check value or length, impossible terms), FileError.
    void load(const VendingKeyTerms& terms, const sts::VendingKey& key, const CheckValue& expected);

    /// The same of a key that is in a PKCS#11 token and stays there: `place` is its URI. DKGA04 only, since
    /// DKGA02 mixes the key itself into its result. Throws TokenError too.
    void load_from_token(const VendingKeyTerms& terms, const std::string& place, const CheckValue& expected);

    struct Entry {
        VendingKeyTerms terms;
        CheckValue check_value{};
        std::unique_ptr<sts::KeyDerivation> derivation;
    };
    /// Null when there is none.
    const Entry* find(const VendingKeyName& name) const;
    const std::map<VendingKeyName, Entry>& entries() const { return entries_; }

    static CheckValue check_value(sts::Derivation derivation, const sts::VendingKey& key);

private:
    void read();
    void take(const VendingKeyTerms& terms, const CheckValue& check, const CheckValue& expected,
              Buffer sealed, const std::string& place, std::unique_ptr<sts::KeyDerivation> derivation);

    std::filesystem::path file_;
    const MasterKey& master_;
    OpensslDerivationCiphers ciphers_;
    std::map<VendingKeyName, Entry> entries_;
    std::map<VendingKeyName, std::string> lines_;
};

}  // namespace wattmesh::security
