#include "protocol/cosem/association_ln.h"

namespace wattmesh::cosem::association_ln {

namespace {

const std::vector<dlms::Data>* structure_of(const dlms::Data& data, std::size_t count, Decoding& how) {
    const auto* structure = data.as<dlms::Structure>();
    if (structure && structure->elements.size() == count) return &structure->elements;
    how.fail(structure ? Fault::bad_value : Fault::bad_tag);
    return nullptr;
}

template <class T>
bool take(T& to, const std::vector<dlms::Data>& fields, std::size_t index, Decoding& how) {
    auto value = Codec<T>::decode(fields[index], how);
    if (!value) {
        how.elements.push_back(index + 1);
        return false;
    }
    to = std::move(*value);
    return true;
}

/// access_mode is an enum; a boolean in the methods of version 0.
bool take_mode(std::uint8_t& to, const std::vector<dlms::Data>& fields, Decoding& how) {
    if (const auto* flag = fields[1].as<bool>()) {
        to = *flag ? 1 : 0;
        return true;
    }
    const auto* mode = fields[1].as<dlms::Enum>();
    if (!mode) {
        how.fail(Fault::bad_tag);
        how.elements.push_back(2);
        return false;
    }
    to = mode->value;
    return true;
}

}  // namespace

std::optional<AttributeAccess> AttributeAccess::decode(const dlms::Data& data, Decoding& how) {
    const auto* fields = structure_of(data, 3, how);
    AttributeAccess access;
    if (!fields || !take(access.attribute_id, *fields, 0, how) ||
        !take_mode(access.access_mode, *fields, how))
        return std::nullopt;
    if (!(*fields)[2].as<dlms::Null>() && !take(access.access_selectors, *fields, 2, how))
        return std::nullopt;
    return access;
}

dlms::Data AttributeAccess::encode() const {
    auto selectors =
        access_selectors.empty() ? dlms::Data{} : Codec<std::vector<std::int8_t>>::encode(access_selectors);
    return dlms::structure({attribute_id, dlms::Enum{access_mode}, std::move(selectors)});
}

std::optional<MethodAccess> MethodAccess::decode(const dlms::Data& data, Decoding& how) {
    const auto* fields = structure_of(data, 2, how);
    MethodAccess access;
    if (!fields || !take(access.method_id, *fields, 0, how) || !take_mode(access.access_mode, *fields, how))
        return std::nullopt;
    return access;
}

dlms::Data MethodAccess::encode() const { return dlms::structure({method_id, dlms::Enum{access_mode}}); }

}  // namespace wattmesh::cosem::association_ln
