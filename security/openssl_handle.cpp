#include "security/openssl_handle.h"

#include <openssl/err.h>

#include <array>

namespace wattmesh::security {

std::string openssl_errors() {
    std::string text;
    while (const unsigned long code = ERR_get_error()) {
        const char* reason = ERR_reason_error_string(code);
        if (!text.empty()) text += ", ";
        text += reason != nullptr ? std::string(reason) : "openssl error " + std::to_string(code);
    }
    return text.empty() ? "no reason given" : text;
}

}  // namespace wattmesh::security
