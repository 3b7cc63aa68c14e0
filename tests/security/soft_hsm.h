#pragma once
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

}  // namespace wattmesh::security
