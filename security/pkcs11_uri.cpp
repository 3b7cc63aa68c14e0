#include "security/pkcs11_uri.h"

#include <map>

#include "protocol/base/bytes.h"

namespace wattmesh::security {
namespace {

std::optional<std::string> decoded(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '%') {
            out += text[i];
            continue;
        }
        const auto octet = i + 2 < text.size() ? from_hex(text.substr(i + 1, 2)) : std::nullopt;
        if (!octet || octet->size() != 1 || octet->front() == 0) return std::nullopt;
        out += static_cast<char>(octet->front());
        i += 2;
    }
    return out;
}

using Attributes = std::map<std::string, std::string, std::less<>>;

/// False when one is malformed or comes twice.
bool read_attributes(std::string_view text, char separator, Attributes& out) {
    while (!text.empty()) {
        const auto part = text.substr(0, text.find(separator));
        text.remove_prefix(std::min(text.size(), part.size() + 1));
        const auto equals = part.find('=');
        if (equals == std::string_view::npos) return false;
        const auto value = decoded(part.substr(equals + 1));
        if (!value || value->empty()) return false;
        if (!out.emplace(std::string{part.substr(0, equals)}, *value).second) return false;
    }
    return true;
}

}  // namespace

std::optional<Pkcs11Uri> Pkcs11Uri::parse(std::string_view text) {
    constexpr std::string_view scheme = "pkcs11:", file_scheme = "file:";
    if (!text.starts_with(scheme)) return std::nullopt;
    text.remove_prefix(scheme.size());
    const auto query = text.find('?');
    if (query == std::string_view::npos) return std::nullopt;
    Attributes path, settings;
    if (!read_attributes(text.substr(0, query), ';', path)) return std::nullopt;
    if (!read_attributes(text.substr(query + 1), '&', settings)) return std::nullopt;
    if (path.size() != 2 || settings.size() != 2) return std::nullopt;
    if (!path.contains("token") || !path.contains("object")) return std::nullopt;
    if (!settings.contains("module-path") || !settings.contains("pin-source")) return std::nullopt;
    std::string_view pin = settings["pin-source"];
    if (pin.starts_with(file_scheme)) pin.remove_prefix(file_scheme.size());
    return Pkcs11Uri{path["token"], path["object"], settings["module-path"], std::string{pin}};
}

}  // namespace wattmesh::security
