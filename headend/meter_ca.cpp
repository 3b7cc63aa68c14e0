#include "headend/meter_ca.h"

#include <stdexcept>

#include "headend/monitor/key_service.h"
#include "security/private_file.h"

namespace wattmesh::headend {
namespace {

namespace fs = std::filesystem;
constexpr std::size_t anchors_size_max = 256 * 1'024;
constexpr const char* anchors_file = "trust.pem";

Curve curve_for(int suite) { return suite == 1 ? Curve::p256 : Curve::p384; }

std::string text_of(const fs::path& file) {
    const auto content = security::read_private_file(file, anchors_size_max);
    return {content.reveal().begin(), content.reveal().end()};
}
void write(const fs::path& file, const std::string& text) {
    security::write_private_file(file, as_bytes(text));
}

}  // namespace

MeterCa::MeterCa(fs::path folder) : folder_(std::move(folder)) {
    fs::create_directories(folder_);
    fs::permissions(folder_, fs::perms::owner_all);
}

fs::path MeterCa::sub_file(int suite, const char* extension) const {
    return folder_ / ("sub-ca-" + std::to_string(suite) + extension);
}
fs::path MeterCa::own_file(int suite, security::CertificateUse use, const char* extension) const {
    return folder_ / ("own-" + std::string{to_string(use)} + "-" + std::to_string(suite) + extension);
}

void MeterCa::create(int suite, const std::string& name, Instant now) {
    const auto root =
        security::MeterAuthority::create_root(name + " root " + std::to_string(suite), curve_for(suite), now);
    const auto sub = security::MeterAuthority::create(name + " meters " + std::to_string(suite), root, now);
    // The key's file is never replaced: meters hold certificates under it.
    security::create_private_file(sub_file(suite, ".key"), sub.key_pem.reveal());
    security::create_private_file(sub_file(suite, ".root.key"), root.key_pem.reveal());
    write(sub_file(suite, ".pem"), sub.certificate_pem);
    trust(root.certificate_pem);
}

std::string MeterCa::request(int suite, const std::string& name) {
    const auto made =
        security::MeterAuthority::request(name + " meters " + std::to_string(suite), curve_for(suite));
    security::create_private_file(sub_file(suite, ".key"), made.key_pem.reveal());
    return made.request_pem;
}

void MeterCa::install(int suite, const std::string& certificate_pem, const std::string& root_pem,
                      Instant now) {
    const auto key = security::read_private_file(sub_file(suite, ".key"));
    const auto why = security::TrustAnchors{root_pem}.check_authority(as_bytes(certificate_pem), now);
    if (!why.empty()) throw security::PkiError("the certificate cannot be installed: " + why);
    const auto authority = security::MeterAuthority::open(certificate_pem, key);
    if (authority.curve() != curve_for(suite))
        throw security::PkiError("the certificate is of the other suite");
    trust(root_pem);
    write(sub_file(suite, ".pem"), certificate_pem);
}

void MeterCa::trust(const std::string& pem) {
    const security::TrustAnchors checked{pem};
    const auto known = anchors();
    if (known.find(pem) != std::string::npos) return;
    write(folder_ / anchors_file, known + pem + (pem.ends_with('\n') ? "" : "\n"));
}

std::string MeterCa::anchors() const {
    const auto file = folder_ / anchors_file;
    return fs::exists(file) ? text_of(file) : std::string{};
}

std::string MeterCa::own_request(int suite, security::CertificateUse use) {
    const auto made = security::make_title_request(monitor::own_title, curve_for(suite));
    security::create_private_file(own_file(suite, use, ".key"), made.key_pem.reveal());
    return made.request_pem;
}

void MeterCa::keep_own(const security::DlmsCertificate& certificate) {
    const int suite = certificate.suite();
    const auto key = security::read_private_file(own_file(suite, certificate.use, ".key"));
    if (!security::belongs(key, certificate.der))
        throw security::PkiError("the certificate does not belong to " +
                                 own_file(suite, certificate.use, ".key").string());
    write(own_file(suite, certificate.use, ".pem"), security::certificate_pem(certificate.der));
}

std::shared_ptr<PrivateKey> MeterCa::own_key(int suite, security::CertificateUse use) const {
    if (!fs::exists(own_file(suite, use, ".pem"))) return nullptr;
    return security::private_key_from_pem(security::read_private_file(own_file(suite, use, ".key")));
}

std::variant<security::DlmsCertificate, security::CertificateRefused> MeterCa::sign(
    Bytes request, const SystemTitle& title, security::CertificateUse use, Instant now) const {
    std::optional<security::CertificateRefused> refused;
    for (const int suite : {1, 2}) {
        if (!fs::exists(sub_file(suite, ".pem"))) continue;
        const auto authority = security::MeterAuthority::open(
            text_of(sub_file(suite, ".pem")), security::read_private_file(sub_file(suite, ".key")));
        auto outcome = authority.sign(request, title, use, now);
        if (std::holds_alternative<security::DlmsCertificate>(outcome)) return outcome;
        if (!refused) refused = std::get<security::CertificateRefused>(outcome);
    }
    if (refused) return *refused;
    throw std::runtime_error("there is no sub-CA for meters yet: headend ca create, or headend ca request");
}

std::variant<security::DlmsCertificate, security::CertificateRefused> MeterCa::check(Bytes content,
                                                                                     Instant now) const {
    const auto known = anchors();
    if (known.empty())
        throw std::runtime_error("no CA is trusted yet: headend ca trust FILE names a manufacturer's root");
    return security::TrustAnchors{known}.check_device(content, now);
}

std::string MeterCa::chain(int suite) const { return text_of(sub_file(suite, ".pem")); }

}  // namespace wattmesh::headend
