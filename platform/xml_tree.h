#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "platform/xml_reader.h"

namespace wattmesh::platform {

/// An element and what is in it, for documents small enough to be held whole.
struct XmlElement {
    std::string space, name;
    std::vector<XmlAttribute> attributes;
    std::string text;  ///< its own, without white space at both ends
    std::vector<XmlElement> children;

    bool is(std::string_view of_space, std::string_view of_name) const {
        return space == of_space && name == of_name;
    }
    /// The first of this name in the element's own namespace; null when there is none.
    const XmlElement* child(std::string_view of_name) const;
    /// Of an attribute without namespace; empty when it is absent.
    std::string_view attribute(std::string_view of_name) const;
};

/// Throws XmlError.
XmlElement parse_xml(std::string_view document, XmlLimits limits);

}  // namespace wattmesh::platform
