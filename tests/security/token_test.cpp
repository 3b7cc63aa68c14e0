#include <dlfcn.h>
#include <p11-kit/pkcs11.h>
#include <sys/stat.h>

#include <catch2/catch.hpp>

#include "security/token_master_key.h"
#include "tests/security/soft_hsm.h"

namespace wattmesh::security {
namespace {

const Buffer known_key = from_hex("000102030405060708090A0B0C0D0E0F101112131415161718191A1B1C1D1E1F").value();

std::unique_ptr<Pkcs11Key> create(const std::string& uri) {
    return Pkcs11Key::create(Pkcs11Uri::parse(uri).value());
}

}  // namespace

TEST_CASE("token: its URI holds four attributes, each once, and nothing else", "[security]") {
    const auto uri =
        Pkcs11Uri::parse("pkcs11:object=master%20key;token=wm?pin-source=/p/pin&module-path=/m.so");
    REQUIRE(uri);
    CHECK(uri->object == "master key");
    CHECK(uri->token == "wm");
    CHECK(uri->module == "/m.so");
    CHECK(uri->pin_file == "/p/pin");
    const auto* wrong =
        GENERATE("", "pkcs11:", "pkcs11:token=a;object=b", "pkcs11:token=a;object=b?module-path=/m",
                 "pkcs11:token=a;object=?module-path=/m&pin-source=/p",
                 "pkcs11:token=a;token=b;object=c?module-path=/m&pin-source=/p",
                 "pkcs11:token=a;object=b?module-path=/m&pin-value=1234",
                 "pkcs11:token=a;object=b;id=%01?module-path=/m&pin-source=/p",
                 "pkcs11:token=a%0;object=b?module-path=/m&pin-source=/p",
                 "pkcs11:token=a%00;object=b?module-path=/m&pin-source=/p",
                 "pkcs11:token;object=b?module-path=/m&pin-source=/p",
                 "PKCS11:token=a;object=b?module-path=/m&pin-source=/p");
    CHECK_FALSE(Pkcs11Uri::parse(wrong));
}

TEST_CASE("token: a master key made there wraps for one purpose, and is found again", "[security]") {
    const auto& hsm = SoftHsm::instance();
    const std::string purpose = "meter 540000000001 0";
    const Buffer key(16, 0x42);
    Buffer wrapped;
    {
        const TokenMasterKey made{create(hsm.uri("made"))};
        wrapped = made.wrap(purpose, key);
        CHECK_THROWS_WITH(create(hsm.uri("made")), Catch::Contains("already"));
    }
    const auto opened = open_master_key(hsm.uri("made"));
    CHECK(to_buffer(opened->unwrap(purpose, wrapped).value().reveal()) == key);
    CHECK(opened->wrap(purpose, key) == wrapped);  // the import compares wrapped keys
    CHECK_FALSE(opened->unwrap("meter 540000000002 0", wrapped));
    create(hsm.uri("other"));
    CHECK_FALSE(open_master_key(hsm.uri("other"))->unwrap(purpose, wrapped));
    auto changed = wrapped;
    changed[3] ^= 4;
    CHECK_FALSE(opened->unwrap(purpose, changed));
}

TEST_CASE("token: wrapping keys are NIST SP 800-108 with CMAC, as OpenSSL's KBKDF makes them", "[security]") {
    const auto& hsm = SoftHsm::instance();
    create(hsm.uri("starts%20the%20module"));
    import_key("known", known_key, false);
    const auto kek = output_of(
        "openssl kdf -keylen 32 -binary -kdfopt mac:CMAC -kdfopt cipher:AES-256-CBC -kdfopt "
        "mode:COUNTER -kdfopt hexkey:" +
        to_hex(known_key) + " -kdfopt 'salt:wattmesh key wrap 1' -kdfopt 'info:meter 540000000001 0' KBKDF");
    const Buffer key(32, 0x17);
    CHECK(open_master_key(hsm.uri("known"))->wrap("meter 540000000001 0", key) ==
          OpensslCiphers{}.key_wrap(SymmetricKey::from(as_bytes(kek)).value())->wrap(key));
}

TEST_CASE("token: what does not fit is refused in words without the PIN", "[security]") {
    const auto& hsm = SoftHsm::instance();
    create(hsm.uri("guarded"));
    const auto refuses = [](const std::string& uri, const char* says) {
        CHECK_THROWS_WITH(open_master_key(uri), Catch::Contains(says) && !Catch::Contains("123456"));
    };
    refuses(hsm.uri("nobody"), "no secret key nobody");
    refuses(hsm.uri("guarded", "pin", "stranger"), "no token stranger");
    refuses(hsm.uri("guarded", "missing"), "missing");
    refuses("pkcs11:token=a;object=b?module-path=/nowhere/x.so&pin-source=/p", "/nowhere/x.so");
    refuses("pkcs11:token=a;object=b?module-path=/usr/lib/x86_64-linux-gnu/libssl.so.3&pin-source=/p",
            "no PKCS#11");
    refuses("pkcs11:nonsense", "RFC 7512");
    import_key("leaky", known_key, true);
    refuses(hsm.uri("leaky"), "stays in the token");
    import_key("twice", known_key, false);
    import_key("twice", known_key, false);
    refuses(hsm.uri("twice"), "more than one");
    put(hsm.folder.path / "open", as_bytes("123456"));
    chmod((hsm.folder.path / "open").c_str(), 0644);
    refuses(hsm.uri("guarded", "open"), "chmod 600");
}

TEST_CASE("token: a wrong PIN says so", "[security]") {
    const auto& hsm = SoftHsm::instance();
    CHECK_THROWS_WITH(open_master_key(hsm.uri("any", "wrong")), Catch::Contains("PIN is wrong"));
}

TEST_CASE("token: a session that was closed under us is opened again", "[security]") {
    const auto& hsm = SoftHsm::instance();
    const TokenMasterKey master{create(hsm.uri("lasting"))};
    const auto wrapped = master.wrap("x", Buffer(16, 1));
    auto* const library = dlopen(softhsm_module, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    CK_FUNCTION_LIST* api = nullptr;
    REQUIRE(reinterpret_cast<CK_C_GetFunctionList>(dlsym(library, "C_GetFunctionList"))(&api) == CKR_OK);
    REQUIRE(api->C_Finalize(nullptr) == CKR_OK);
    CHECK(master.wrap("x", Buffer(16, 1)) == wrapped);
}

}  // namespace wattmesh::security
