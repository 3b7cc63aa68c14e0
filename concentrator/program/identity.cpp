#include "concentrator/program/identity.h"

#include "security/private_file.h"

namespace wattmesh::concentrator {
namespace {

namespace fs = std::filesystem;
constexpr std::string_view certificate_start = "-----BEGIN CERTIFICATE-----";

std::string text_of(const security::SecretBuffer& content) {
    return {content.reveal().begin(), content.reveal().end()};
}

std::string trimmed(std::string text) {
    while (!text.empty() && (text.back() == '\n' || text.back() == ' ' || text.back() == '\r'))
        text.pop_back();
    return text;
}

}  // namespace

IdentityFiles::IdentityFiles(fs::path folder) : folder_(std::move(folder)) {
    std::error_code error;
    const bool made = fs::create_directories(folder_, error);
    if (error) {
        throw security::FileError("cannot make the state folder " + folder_.string() + ": " +
                                  error.message() + "; give one that this user may write: --state DIR");
    }
    if (made) fs::permissions(folder_, fs::perms::owner_all, error);
}

std::optional<DeviceNumber> IdentityFiles::number() const {
    const auto path = folder_ / "number";
    if (!fs::exists(path)) return std::nullopt;
    const auto number = DeviceNumber::parse(trimmed(text_of(security::read_private_file(path))));
    if (!number)
        throw security::FileError(path.string() +
                                  " does not hold twelve digits; remove it and give --number");
    return number;
}

std::optional<Identity> IdentityFiles::load() const {
    const auto path = folder_ / "identity.pem";
    if (!fs::exists(path)) return std::nullopt;
    const auto known = number();
    const auto both = security::read_private_file(path);
    const std::string_view view{reinterpret_cast<const char*>(both.reveal().data()), both.reveal().size()};
    const auto split = view.find(certificate_start);
    const auto kek = Key128::from(security::read_private_file(folder_ / "kek").reveal());
    if (!known || split == std::string_view::npos || !kek) {
        throw security::FileError(
            "the identity in " + folder_.string() +
            " is damaged; enrol the concentrator again: remove identity.pem and give --enrol CODE");
    }
    return Identity{*known, security::SecretBuffer{both.reveal().subspan(0, split)},
                    std::string{view.substr(split)}, text_of(security::read_private_file(folder_ / "ca.pem")),
                    *kek};
}

/// The certificate last: with it the concentrator counts as enrolled.
void IdentityFiles::store(const Identity& identity) {
    security::write_private_file(folder_ / "number", as_bytes(to_string(identity.number) + "\n"));
    security::write_private_file(folder_ / "ca.pem", as_bytes(identity.ca_pem));
    security::write_private_file(folder_ / "kek", identity.kek.reveal());
    store_certificate(identity.key_pem, identity.certificate_pem);
}

void IdentityFiles::store_certificate(const security::SecretBuffer& key_pem,
                                      const std::string& certificate_pem) {
    Buffer both = to_buffer(key_pem.reveal());
    if (!both.empty() && both.back() != '\n') both.push_back('\n');
    both.insert(both.end(), certificate_pem.begin(), certificate_pem.end());
    const security::SecretBuffer content{std::move(both)};
    security::write_private_file(folder_ / "identity.pem", content.reveal());
}

Buffer CertificateOffice::request() {
    pending_ = security::make_request(number_);
    return pending_->request_der;
}

std::optional<security::KeyAndCertificate> CertificateOffice::accept(Bytes certificate_der) const {
    if (!pending_) return std::nullopt;
    const auto facts = security::read_certificate(certificate_der);
    if (!facts || facts->common_name != to_string(number_)) return std::nullopt;
    security::KeyAndCertificate renewed{pending_->key_pem, security::certificate_pem(certificate_der)};
    try {
        uplink_context(renewed.key_pem, renewed.certificate_pem, ca_pem_);
    } catch (const security::PkiError&) {
        return std::nullopt;  // not for our key
    }
    return renewed;
}

std::shared_ptr<const security::TlsContext> uplink_context(const security::SecretBuffer& key_pem,
                                                           const std::string& certificate_pem,
                                                           const std::string& ca_pem) {
    security::TlsSettings settings;
    settings.key_pem = key_pem;
    settings.certificate_pem = certificate_pem;
    settings.ca_pem = ca_pem;
    return std::make_shared<const security::TlsContext>(std::move(settings));
}

}  // namespace wattmesh::concentrator
