#include "terminal-sim/meter/objects/certificates.h"

#include <optional>

#include "terminal-sim/meter/meter.h"

namespace wattmesh::sim {

using namespace dlms;
using namespace cosem::security_setup;
using security::CertificateFolder;
using security::CertificateUse;

namespace {

/// One certificate of the folder, as the object shows it.
struct Held {
    bool peers;
    security::DlmsCertificate certificate;
    Certificate shown() const {
        return {peers ? CertificateEntity::client : CertificateEntity::server,
                certificate.use == CertificateUse::signature ? CertificateType::digital_signature
                                                             : CertificateType::key_agreement,
                from_hex(certificate.serial).value_or(Buffer{}),
                to_buffer(as_bytes(certificate.issuer)),
                to_buffer(as_bytes(to_hex(certificate.title.octets))),
                {}};
    }
};

std::vector<Held> held(const CertificateFolder& folder) {
    std::vector<Held> all;
    for (const bool peers : {false, true})
        for (const auto use : {CertificateUse::signature, CertificateUse::agreement})
            if (auto one = folder.find(peers, use)) all.push_back({peers, std::move(*one)});
    return all;
}

std::optional<CertificateUse> use_of(CertificateType type) {
    if (type == CertificateType::digital_signature) return CertificateUse::signature;
    if (type == CertificateType::key_agreement) return CertificateUse::agreement;
    return std::nullopt;
}

/// {entity, type, system title} or {serial, issuer}.
bool names(const CertificateId& id, const Held& one) {
    const auto* parts = id.identification.elements();
    const Certificate shown = one.shown();
    const auto octets = [&](std::size_t i) { return (*parts)[i].octets(); };
    const auto same = [](Bytes a, Bytes b) { return std::equal(a.begin(), a.end(), b.begin(), b.end()); };
    if (parts == nullptr) return false;
    if (id.naming == CertificateNaming::by_serial_number)
        return parts->size() == 2 && same(octets(0), shown.serial_number) && same(octets(1), shown.issuer);
    return parts->size() == 3 && (*parts)[0].integer() == static_cast<int>(shown.certificate_entity) &&
           (*parts)[1].integer() == static_cast<int>(shown.certificate_type) &&
           same(octets(2), one.certificate.title.octets);
}

ActionOutcome make(CertificateFolder& folder, const SimObject::Call& what) {
    const auto type = generate_key_pair.read(what.argument);
    const auto use = type ? use_of(*type) : std::nullopt;
    if (!use) return {AccessResult::type_unmatched, {}};
    if (what.method == generate_key_pair.id) {
        folder.generate(*use);
        return {AccessResult::success, {}};
    }
    const auto request = folder.request(*use);
    if (!request) return {AccessResult::object_unavailable, {}};
    return {AccessResult::success, octet_string(request->request_der)};
}

ActionOutcome find(CertificateFolder& folder, const SimObject::Call& what) {
    const auto id = export_certificate.read(what.argument);
    if (!id) return {AccessResult::type_unmatched, {}};
    for (const auto& one : held(folder)) {
        if (!names(*id, one)) continue;
        if (what.method == export_certificate.id)
            return {AccessResult::success, octet_string(one.certificate.der)};
        folder.remove(one.peers, one.certificate.use);
        return {AccessResult::success, {}};
    }
    return {AccessResult::object_unavailable, {}};
}

}  // namespace

std::vector<Certificate> certificates_of(const Meter& meter) {
    std::vector<Certificate> shown;
    if (const auto* folder = meter.settings().certificates)
        for (const auto& one : held(*folder)) shown.push_back(one.shown());
    return shown;
}

ActionOutcome call_certificates(Meter& meter, const SimObject::Call& what) {
    auto* folder = meter.settings().certificates;
    if (folder == nullptr) return {AccessResult::object_unavailable, {}};
    if (what.method <= generate_certificate_request.id) return make(*folder, what);
    if (what.method >= export_certificate.id) return find(*folder, what);
    const auto der = import_certificate.read(what.argument);
    if (!der) return {AccessResult::type_unmatched, {}};
    return {folder->import(*der).empty() ? AccessResult::success : AccessResult::other_reason, {}};
}

}  // namespace wattmesh::sim
