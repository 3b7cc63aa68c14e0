#pragma once
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "security/meter_pki.h"

namespace wattmesh::security {

/// The static keys and certificates of one device of suites 1 and 2, and those of its one peer, in a folder
/// as a device's memory: <use>.key and <use>.pem, peer-<use>.pem, and trust.pem with the roots that are
/// believed, which somebody puts there. Files for the owner only. Failures are FileError or PkiError. One
/// thread.
class CertificateFolder {
public:
    /// Makes the folder when it is not there. `now` says which certificates are valid.
    CertificateFolder(std::filesystem::path folder, SystemTitle own, Curve curve,
                      std::function<Instant()> now);

    /// A new key, beside the one in use until a certificate for it is imported.
    void generate(CertificateUse use);
    /// A request for a certificate of the newest key, PKCS#10; nothing when there is no key.
    std::optional<KeyAndRequest> request(CertificateUse use) const;
    /// Takes a certificate, DER or PEM (with sub-CAs behind it): in our title for our newest key, in any
    /// other as the peer's, in the place of what was there. Empty when it was taken, else why not.
    std::string import(Bytes content);
    /// One certificate, valid or not.
    std::optional<DlmsCertificate> find(bool peers, CertificateUse use) const;
    /// False when there is none. Without its certificate a key of ours is not used.
    bool remove(bool peers, CertificateUse use);

    /// Our key with a valid certificate; else null.
    std::shared_ptr<PrivateKey> own_key(CertificateUse use) const;
    /// Of the peer's valid certificate, x || y; else empty.
    Buffer peer_key(CertificateUse use) const;

private:
    std::filesystem::path file(const char* prefix, CertificateUse use, const char* extension) const;
    bool valid(const DlmsCertificate& certificate) const;

    std::filesystem::path folder_;
    SystemTitle own_;
    Curve curve_;
    std::function<Instant()> now_;
};

}  // namespace wattmesh::security
