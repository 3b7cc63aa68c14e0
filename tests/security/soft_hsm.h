#pragma once
#include <dlfcn.h>
#include <p11-kit/pkcs11.h>

#include <catch2/catch.hpp>
#include <cstdio>

#include "security/private_file.h"
#include "tests/security/folder.h"

namespace wattmesh::security {

inline constexpr const char* softhsm_module = "/usr/lib/softhsm/libsofthsm2.so";

/// What a program prints; it must succeed.
inline std::string output_of(const std::string& command) {
    FILE* const pipe = popen(command.c_str(), "re");  // NOLINT: a test's own words
    REQUIRE(pipe != nullptr);
    std::string text;
    for (int c = std::fgetc(pipe); c != EOF; c = std::fgetc(pipe)) text += static_cast<char>(c);
    INFO(command);
    REQUIRE(pclose(pipe) == 0);
    return text;
}

/// A private SoftHSM with one token, for the whole process: it reads its configuration once.
struct SoftHsm {
    SoftHsm() {
        std::filesystem::create_directory(folder.path / "tokens");
        put(folder.path / "softhsm2.conf",
            as_bytes("directories.tokendir = " + (folder.path / "tokens").string() +
                     "\nobjectstore.backend = file\nlog.level = ERROR\n"));
        setenv("SOFTHSM2_CONF", (folder.path / "softhsm2.conf").c_str(), 1);
        output_of("softhsm2-util --init-token --free --label wattmesh --pin 123456 --so-pin 654321 2>&1");
        write_private_file(folder.path / "pin", as_bytes("123456\n"));
        write_private_file(folder.path / "wrong", as_bytes("000000\n"));
    }
    std::string uri(const std::string& object, const std::string& pin = "pin",
                    const std::string& token = "wattmesh") const {
        return "pkcs11:token=" + token + ";object=" + object + "?module-path=" + softhsm_module +
               "&pin-source=file:" + (folder.path / pin).string();
    }
    static const SoftHsm& instance() {
        static const SoftHsm hsm;
        return hsm;
    }
    Folder folder;
};

/// Puts a key of ours into the token, as a key ceremony would.
inline void import_key(std::string label, Buffer value, bool extractable, CK_KEY_TYPE type = CKK_AES) {
    auto* const library = dlopen(softhsm_module, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    REQUIRE(library != nullptr);
    CK_FUNCTION_LIST* api = nullptr;
    REQUIRE(reinterpret_cast<CK_C_GetFunctionList>(dlsym(library, "C_GetFunctionList"))(&api) == CKR_OK);
    CK_SLOT_ID slots[8];
    CK_ULONG count = 8;
    REQUIRE(api->C_GetSlotList(CK_TRUE, slots, &count) == CKR_OK);
    CK_SESSION_HANDLE session = 0;
    REQUIRE(api->C_OpenSession(slots[0], CKF_SERIAL_SESSION | CKF_RW_SESSION, nullptr, nullptr, &session) ==
            CKR_OK);
    std::uint8_t pin[] = {'1', '2', '3', '4', '5', '6'};
    const CK_RV login = api->C_Login(session, CKU_USER, pin, sizeof pin);
    REQUIRE((login == CKR_OK || login == CKR_USER_ALREADY_LOGGED_IN));
    CK_OBJECT_CLASS kind = CKO_SECRET_KEY;
    CK_BBOOL yes = CK_TRUE;
    CK_BBOOL may_leave = extractable ? CK_TRUE : CK_FALSE;
    CK_ATTRIBUTE facts[] = {{CKA_CLASS, &kind, sizeof kind},
                            {CKA_KEY_TYPE, &type, sizeof type},
                            {CKA_TOKEN, &yes, sizeof yes},
                            {CKA_PRIVATE, &yes, sizeof yes},
                            {CKA_SENSITIVE, &yes, sizeof yes},
                            {CKA_SIGN, &yes, sizeof yes},
                            {CKA_EXTRACTABLE, &may_leave, sizeof may_leave},
                            {CKA_LABEL, label.data(), label.size()},
                            {CKA_VALUE, value.data(), value.size()}};
    CK_OBJECT_HANDLE made = 0;
    REQUIRE(api->C_CreateObject(session, facts, std::size(facts), &made) == CKR_OK);
    api->C_CloseSession(session);
}

}  // namespace wattmesh::security
