#pragma once
#include <string>
#include <string_view>
#include <vector>

namespace wattmesh::platform {

/// Text as it stands in XML, also between double quotes. Characters that XML 1.0 has no place for become a
/// question mark.
void append_xml_text(std::string& out, std::string_view text);

/// Writes XML front to back to a text of the caller's, which he may empty in between. Names are the
/// caller's: they must be right, with their prefix.
class XmlWriter {
public:
    explicit XmlWriter(std::string& out) : out_(out) {}

    XmlWriter& open(std::string_view name);
    /// Right after open.
    XmlWriter& attribute(std::string_view name, std::string_view value);
    XmlWriter& text(std::string_view text);
    XmlWriter& close();
    XmlWriter& element(std::string_view name, std::string_view content) {
        return open(name).text(content).close();
    }
    /// Nothing when it is empty.
    XmlWriter& maybe(std::string_view name, std::string_view content) {
        return content.empty() ? *this : element(name, content);
    }
    /// A part that was written before.
    XmlWriter& raw(std::string_view part);

private:
    void end_tag();

    std::string& out_;
    std::vector<std::string> open_;
    bool in_tag_ = false;
};

}  // namespace wattmesh::platform
