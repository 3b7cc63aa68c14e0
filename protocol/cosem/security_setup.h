#pragma once
#include "protocol/cosem/parts.h"

/// Security setup, class 64. Source: Blue Book ed. 14, 4.4.7.
namespace wattmesh::cosem::security_setup {

/// Version 0: 0 nothing, 1 authenticated, 2 encrypted, 3 both. Version 1: a set of the bits below.
enum class Policy : std::uint8_t { nothing = 0 };
namespace policy_bit {
inline constexpr std::uint8_t authenticated_request = 0x04, encrypted_request = 0x08, signed_request = 0x10,
                              authenticated_response = 0x20, encrypted_response = 0x40,
                              signed_response = 0x80;
}
enum class Suite : std::uint8_t { suite_0 = 0, suite_1 = 1, suite_2 = 2 };
constexpr Suite last_of(Suite) { return Suite::suite_2; }
enum class KeyId : std::uint8_t {
    global_unicast_encryption = 0,
    global_broadcast_encryption = 1,
    authentication = 2,
    master = 3,
};
constexpr KeyId last_of(KeyId) { return KeyId::master; }
/// Element of key_transfer: a key wrapped under the master key (RFC 3394).
struct WrappedKey {
    KeyId key_id{};
    Buffer key_wrapped;
    friend bool operator==(const WrappedKey&, const WrappedKey&) = default;
    static constexpr auto members() { return std::tuple{&WrappedKey::key_id, &WrappedKey::key_wrapped}; }
};
/// Element of key_agreement: ephemeral public key and signature.
struct AgreedKey {
    KeyId key_id{};
    Buffer key_data;
    friend bool operator==(const AgreedKey&, const AgreedKey&) = default;
    static constexpr auto members() { return std::tuple{&AgreedKey::key_id, &AgreedKey::key_data}; }
};
enum class CertificateEntity : std::uint8_t {
    server = 0,
    client = 1,
    certification_authority = 2,
    other = 3
};
constexpr CertificateEntity last_of(CertificateEntity) { return CertificateEntity::other; }
enum class CertificateType : std::uint8_t { digital_signature = 0, key_agreement = 1, tls = 2, other = 3 };
constexpr CertificateType last_of(CertificateType) { return CertificateType::other; }
struct Certificate {
    CertificateEntity certificate_entity{};
    CertificateType certificate_type{};
    Buffer serial_number, issuer, subject, subject_alt_name;
    friend bool operator==(const Certificate&, const Certificate&) = default;
    static constexpr auto members() {
        return std::tuple{&Certificate::certificate_entity,
                          &Certificate::certificate_type,
                          &Certificate::serial_number,
                          &Certificate::issuer,
                          &Certificate::subject,
                          &Certificate::subject_alt_name};
    }
};
/// certificate_identification_type: how export and remove name a certificate.
enum class CertificateNaming : std::uint8_t { by_entity = 0, by_serial_number = 1 };
constexpr CertificateNaming last_of(CertificateNaming) { return CertificateNaming::by_serial_number; }
/// Argument of export_certificate and remove_certificate: {entity, type, system title} or {serial, issuer}.
struct CertificateId {
    CertificateNaming naming{};
    dlms::Data identification;
    friend bool operator==(const CertificateId&, const CertificateId&) = default;
    static constexpr auto members() {
        return std::tuple{&CertificateId::naming, &CertificateId::identification};
    }
};

inline constexpr ClassName owner{64, "security_setup"};
inline constexpr Attribute<Policy> security_policy{owner, 2, "security_policy", Change::fixed};
inline constexpr Attribute<Suite> security_suite{owner, 3, "security_suite", Change::fixed};
inline constexpr Attribute<Buffer> client_system_title{owner, 4, "client_system_title", Change::dynamic};
inline constexpr Attribute<Buffer> server_system_title{owner, 5, "server_system_title", Change::fixed};
inline constexpr Attribute<std::vector<Certificate>> certificates{owner, 6, "certificates", Change::dynamic};
/// Policies get stronger only.
inline constexpr Method<Policy> security_activate{owner, 1, "security_activate", Need::optional};
/// Version 0 calls it global_key_transfer.
inline constexpr Method<std::vector<WrappedKey>> key_transfer{owner, 2, "key_transfer", Need::optional};
inline constexpr Method<std::vector<AgreedKey>> key_agreement{owner, 3, "key_agreement", Need::optional};
inline constexpr Method<CertificateType> generate_key_pair{owner, 4, "generate_key_pair", Need::optional};
inline constexpr Method<CertificateType> generate_certificate_request{
    owner, 5, "generate_certificate_request", Need::optional};
/// A DER certificate.
inline constexpr Method<Buffer> import_certificate{owner, 6, "import_certificate", Need::optional};
inline constexpr Method<CertificateId> export_certificate{owner, 7, "export_certificate", Need::optional};
inline constexpr Method<CertificateId> remove_certificate{owner, 8, "remove_certificate", Need::optional};

inline constexpr AttributeSpec attributes[]{logical_name,        security_policy,     security_suite,
                                            client_system_title, server_system_title, certificates};
inline constexpr MethodSpec methods[]{security_activate,
                                      key_transfer,
                                      key_agreement,
                                      generate_key_pair,
                                      generate_certificate_request,
                                      import_certificate,
                                      export_certificate,
                                      remove_certificate};
inline constexpr ClassSpec spec_0{owner.id, 0, owner.name, std::span{attributes}.first(5),
                                  std::span{methods}.first(2)};
inline constexpr ClassSpec spec_1{owner.id, 1, owner.name, attributes, methods};

}  // namespace wattmesh::cosem::security_setup
