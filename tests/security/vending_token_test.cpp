#include <catch2/catch.hpp>

#include "security/token_master_key.h"
#include "tests/security/soft_hsm.h"
#include "tests/security/vending_house.h"

namespace wattmesh::security {

TEST_CASE("vending module: its keys may rest under a master key in a PKCS#11 token", "[security]") {
    const auto& hsm = SoftHsm::instance();
    Folder folder;
    Fixed random;
    const TokenMasterKey made{Pkcs11Key::create(Pkcs11Uri::parse(hsm.uri("vending")).value())};
    {
        SoftwareModule module{{folder.path / "m"}, made, random};
        module.load_key(terms_n(), vk_b(), VendingKeyFile::check_value(Derivation::dkga04, vk_b()));
        CHECK(digits(module.issue(request("a"), noon)) == "58625789986991357486");
    }
    const auto opened = open_master_key(hsm.uri("vending"));
    SoftwareModule module{{folder.path / "m"}, *opened, random};
    CHECK(to_string(module.resolve("a")->tokens.front()) == "58625789986991357486");
    CHECK_THROWS_AS(SoftwareModule({folder.path / "m"}, *open_master_key(hsm.uri("other-vending")), random),
                    std::runtime_error);
}

TEST_CASE("vending module: a vending key in a PKCS#11 token makes tokens without leaving it", "[security]") {
    const auto& hsm = SoftHsm::instance();
    const std::string place = hsm.uri("vending-key");
    const CheckValue right = VendingKeyFile::check_value(Derivation::dkga04, vk_b());
    House house;
    CHECK_THROWS_WITH(house.module->load_token_key(terms_n(), place, right), Catch::Contains("vending-key"));
    Buffer padded = to_buffer(vk_b().reveal());
    padded.resize(
        32);  // SoftHSM wants 32 octets; HMAC pads with zeros itself (FIPS 198-1), so it is the same key
    import_key("vending-key", padded, false, CKK_GENERIC_SECRET);
    CHECK_THROWS_AS(house.module->load_token_key(terms_n(), place, {1, 2, 3}), VendingKeyError);
    CHECK_THROWS_AS(house.module->load_token_key(terms_n(), "vending.key", right), VendingKeyError);
    house.module->load_token_key(terms_n(), place, right);
    CHECK(digits(house.module->issue(request("a"), noon)) == "58625789986991357486");  // T5
    house.open();
    CHECK(to_string(house.module->resolve("a")->tokens.front()) == "58625789986991357486");
    // the file says where the key is; it cannot be pointed elsewhere
    const Buffer keys = content_of(house.keys());
    std::string text{keys.begin(), keys.end()};
    text.replace(text.find("object=vending-key"), 18, "object=vending-kex");
    put(house.keys(), as_bytes(text));
    CHECK_THROWS_AS(house.open(), FileError);
    put(house.keys(), keys);
    import_key("leaky-vending", padded, true, CKK_GENERIC_SECRET);
    import_key("aes-vending", Buffer(32, 1), false);
    house.open();
    for (const char* object : {"leaky-vending", "aes-vending"})
        CHECK_THROWS_WITH(house.module->load_token_key(terms_n(), hsm.uri(object), right),
                          Catch::Contains("stays in the token"));
    auto by_des = terms_n();
    by_des.derivation = Derivation::dkga02;
    CHECK_THROWS_AS(house.module->load_token_key(by_des, place, right), VendingKeyError);
}

}  // namespace wattmesh::security
