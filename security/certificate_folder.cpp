#include "security/certificate_folder.h"

#include "security/private_file.h"

namespace wattmesh::security {
namespace {

namespace fs = std::filesystem;
constexpr std::size_t file_size_max = 65'536;

SecretBuffer content_of(const fs::path& file) { return read_private_file(file, file_size_max); }

}  // namespace

CertificateFolder::CertificateFolder(fs::path folder, SystemTitle own, Curve curve,
                                     std::function<Instant()> now)
    : folder_(std::move(folder)), own_(own), curve_(curve), now_(std::move(now)) {
    fs::create_directories(folder_);
    fs::permissions(folder_, fs::perms::owner_all);
}

fs::path CertificateFolder::file(const char* prefix, CertificateUse use, const char* extension) const {
    return folder_ / (std::string{prefix} + std::string{to_string(use)} + extension);
}

void CertificateFolder::generate(CertificateUse use) {
    const auto made = make_title_request(own_, curve_);
    write_private_file(file("new-", use, ".key"), made.key_pem.reveal());
}

std::optional<KeyAndRequest> CertificateFolder::request(CertificateUse use) const {
    for (const char* prefix : {"new-", ""})
        if (const auto key = file(prefix, use, ".key"); fs::exists(key))
            return title_request(own_, content_of(key));
    return std::nullopt;
}

std::string CertificateFolder::import(Bytes content) {
    const auto roots = folder_ / "trust.pem";
    if (!fs::exists(roots)) return "nobody is trusted: put the roots into " + roots.string();
    const auto trusted = content_of(roots);
    const TrustAnchors anchors{std::string(trusted.reveal().begin(), trusted.reveal().end())};
    auto checked = anchors.check_device(content, now_());
    if (const auto* refused = std::get_if<CertificateRefused>(&checked)) return refused->reason;
    const auto& certificate = std::get<DlmsCertificate>(checked);
    if (certificate.curve != curve_) return "its key is on the curve of the other suite";
    const auto pem = certificate_pem(certificate.der);
    if (certificate.title != own_) {
        write_private_file(file("peer-", certificate.use, ".pem"), as_bytes(pem));
        return {};
    }
    const auto fresh = file("new-", certificate.use, ".key"), kept = file("", certificate.use, ".key");
    const bool is_new = fs::exists(fresh);
    if (!is_new && !fs::exists(kept)) return "there is no key that it belongs to";
    if (!belongs(content_of(is_new ? fresh : kept), certificate.der)) return "it belongs to another key";
    // The certificate first: a key is used only with a certificate that belongs to it.
    write_private_file(file("", certificate.use, ".pem"), as_bytes(pem));
    if (is_new) fs::rename(fresh, kept);
    return {};
}

std::optional<DlmsCertificate> CertificateFolder::find(bool peers, CertificateUse use) const {
    const auto path = file(peers ? "peer-" : "", use, ".pem");
    if (!fs::exists(path)) return std::nullopt;
    const auto facts = read_certificate([&] {
        const auto pem = content_of(path);
        return std::string(pem.reveal().begin(), pem.reveal().end());
    }());
    return facts ? read_device_certificate(facts->der) : std::nullopt;
}

bool CertificateFolder::remove(bool peers, CertificateUse use) {
    return fs::remove(file(peers ? "peer-" : "", use, ".pem"));
}

bool CertificateFolder::valid(const DlmsCertificate& certificate) const {
    const Instant now = now_();
    return certificate.curve == curve_ && certificate.not_before <= now && now < certificate.not_after;
}

std::shared_ptr<PrivateKey> CertificateFolder::own_key(CertificateUse use) const {
    const auto certificate = find(false, use);
    const auto path = file("", use, ".key");
    if (!certificate || !valid(*certificate) || !fs::exists(path)) return nullptr;
    const auto key = content_of(path);
    return belongs(key, certificate->der) ? private_key_from_pem(key) : nullptr;
}

Buffer CertificateFolder::peer_key(CertificateUse use) const {
    const auto certificate = find(true, use);
    return certificate && valid(*certificate) ? certificate->public_key : Buffer{};
}

}  // namespace wattmesh::security
