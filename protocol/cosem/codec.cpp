#include "protocol/cosem/codec.h"

namespace wattmesh::cosem {

// A visible-string may come as octet-string, which many meters use for every text.
std::optional<std::string> Codec<std::string>::decode(const dlms::Data& data, Decoding& how) {
    if (const auto* text = data.as<dlms::VisibleString>()) return text->text;
    const auto* octets = how.strict ? nullptr : data.as<dlms::OctetString>();
    if (octets) return std::string{octets->octets.begin(), octets->octets.end()};
    return how.fail(Fault::bad_tag);
}

std::optional<Buffer> Codec<Buffer>::decode(const dlms::Data& data, Decoding& how) {
    if (const auto* octets = data.as<dlms::OctetString>()) return octets->octets;
    const auto* text = how.strict ? nullptr : data.as<dlms::VisibleString>();
    if (text) return Buffer{text->text.begin(), text->text.end()};
    return how.fail(Fault::bad_tag);
}

std::optional<ObisCode> Codec<ObisCode>::decode(const dlms::Data& data, Decoding& how) {
    const auto* octets = data.as<dlms::OctetString>();
    if (!octets) return how.fail(Fault::bad_tag);
    ObisCode code;
    if (octets->octets.size() != code.groups.size()) return how.fail(Fault::bad_value);
    std::copy(octets->octets.begin(), octets->octets.end(), code.groups.begin());
    return code;
}

}  // namespace wattmesh::cosem
