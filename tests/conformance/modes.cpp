#include "tests/conformance/bench.h"

namespace wattmesh::conformance {

using namespace dlms;

namespace {

template <std::size_t N>
Secret<N> key(std::uint8_t octet) {
    std::array<std::uint8_t, N> octets;
    octets.fill(octet);
    return Secret<N>{octets};
}

ClientKeys keys_of(Suite suite) {
    ClientKeys keys;
    const auto set = [&](KeyKind kind, std::uint8_t octet) {
        keys.set(kind, suite == Suite::two ? SymmetricKey{key<32>(octet)} : SymmetricKey{key<16>(octet)});
    };
    set(KeyKind::unicast_encryption, 1);
    set(KeyKind::authentication, 2);
    set(KeyKind::master, 3);
    return keys;
}

void both(ClientConfig& config, ClientAccess& access, Mechanism mechanism, bool ciphered,
          Suite suite = Suite::zero) {
    config.mechanism = access.mechanism = mechanism;
    config.ciphered = access.ciphered = ciphered;
    config.security.suite = access.security.suite = suite;
    const bool secret = mechanism == Mechanism::low || mechanism == Mechanism::high_md5 ||
                        mechanism == Mechanism::high_sha1 || mechanism == Mechanism::high_sha256;
    if (secret) config.password = access.password = to_buffer(as_bytes("12345678"));
    if (ciphered || mechanism == Mechanism::high_gmac) config.keys = access.keys = keys_of(suite);
}

/// Static keys of both ends and each other's public ones.
void certify(ClientConfig& config, ClientAccess& access, Curve curve) {
    security::OpensslCiphers ciphers;
    const auto make = [&](std::uint8_t octet) -> std::shared_ptr<PrivateKey> {
        return ciphers.private_key(curve, Buffer(coordinate_size(curve), octet));
    };
    auto &client = config.security, &server = access.security;
    client.signing_key = make(0x11);
    client.agreement_key = make(0x12);
    server.signing_key = make(0x13);
    server.agreement_key = make(0x14);
    client.peer_signing_key = server.signing_key->public_key();
    client.peer_agreement_key = server.agreement_key->public_key();
    server.peer_signing_key = client.signing_key->public_key();
    server.peer_agreement_key = client.agreement_key->public_key();
}

Mode plain(const char* name, Mechanism mechanism) {
    return {name, [=](auto& config, auto& access) {
                both(config, access, mechanism, false);
                if (mechanism == Mechanism::high_ecdsa) certify(config, access, Curve::p256);
            }};
}

/// Ciphered, HLS-GMAC; `set` changes the settings of both ends.
Mode ciphered(const char* name, Suite suite, std::function<void(SecuritySettings&)> set = {},
              bool dedicated = false) {
    return {name,
            [=](auto& config, auto& access) {
                both(config, access, Mechanism::high_gmac, true, suite);
                if (suite != Suite::zero)
                    certify(config, access, suite == Suite::one ? Curve::p256 : Curve::p384);
                config.dedicated_key = dedicated;
                if (set) set(config.security);
                if (set) set(access.security);
            },
            true, suite == Suite::zero ? std::uint16_t{0} : std::uint16_t{512}};
}

std::function<void(SecuritySettings&)> with(Framing framing) {
    return [=](SecuritySettings& settings) {
        static SeededRandom chance{9};
        settings.framing = framing;
        settings.random = &chance;
    };
}
std::function<void(SecuritySettings&)> with_control(std::uint8_t control) {
    return [=](SecuritySettings& settings) { settings.send = settings.require = control; };
}
void sign(SecuritySettings& settings) { settings.sign = settings.require_signature = true; }

}  // namespace

const std::vector<Mode>& modes() {
    static const std::vector<Mode> all{
        plain("no security", Mechanism::none),
        plain("LLS", Mechanism::low),
        plain("HLS 3 MD5", Mechanism::high_md5),
        plain("HLS 4 SHA-1", Mechanism::high_sha1),
        plain("HLS 5 GMAC", Mechanism::high_gmac),
        plain("HLS 6 SHA-256", Mechanism::high_sha256),
        plain("HLS 7 ECDSA", Mechanism::high_ecdsa),
        {"suite 0 glo, LLS", [](auto& config, auto& access) { both(config, access, Mechanism::low, true); },
         true},
        {"suite 0 glo, pre-established",
         [](auto& config, auto& access) {
             both(config, access, Mechanism::none, true);
             config.pre_established = access.pre_established = true;
             access.pdu_size_max = 0xFFFF;  // nobody told the client of a smaller one
         },
         true},
        ciphered("suite 0 glo", Suite::zero),
        ciphered("suite 0 glo, authenticated only", Suite::zero,
                 with_control(security_control::authenticated)),
        ciphered("suite 0 glo, encrypted only", Suite::zero, with_control(security_control::encrypted)),
        ciphered("suite 0 ded", Suite::zero, {}, true),
        ciphered("suite 0 general-glo", Suite::zero, with(Framing::general)),
        ciphered("suite 0 general-ded", Suite::zero, with(Framing::general), true),
        ciphered("suite 0 general-ciphering, identified key", Suite::zero, with(Framing::identified_key)),
        ciphered("suite 0 general-ciphering, wrapped key", Suite::zero, with(Framing::wrapped_key)),
        ciphered("suite 1 glo", Suite::one),
        ciphered("suite 1 general-ciphering, one-pass DH", Suite::one, with(Framing::one_pass_dh)),
        ciphered("suite 1 general-signing", Suite::one, sign),
        ciphered("suite 2 glo", Suite::two),
        ciphered("suite 2 general-ciphering, one-pass DH", Suite::two, with(Framing::one_pass_dh)),
        ciphered("suite 2 general-ciphering, static DH", Suite::two, with(Framing::static_dh)),
        ciphered("suite 2 general-signing", Suite::two, sign),
    };
    return all;
}

}  // namespace wattmesh::conformance
