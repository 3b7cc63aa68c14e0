#pragma once
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace wattmesh::security {

/// A key in a PKCS#11 token (RFC 7512): pkcs11:token=LABEL;object=LABEL?module-path=FILE&pin-source=FILE.
struct Pkcs11Uri {
    std::string token, object;
    std::filesystem::path module;    ///< the library to load
    std::filesystem::path pin_file;  ///< mode 0600, holds the user's PIN

    /// Exactly those four attributes, each once; percent-encoding as in RFC 3986; pin-source is a path or
    /// file:PATH. Nothing for anything else.
    static std::optional<Pkcs11Uri> parse(std::string_view text);
};

}  // namespace wattmesh::security
