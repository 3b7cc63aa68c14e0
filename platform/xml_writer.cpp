#include "platform/xml_writer.h"

#include <cassert>

namespace wattmesh::platform {

void append_xml_text(std::string& out, std::string_view text) {
    for (const char c : text) switch (c) {
            case '<':
                out += "&lt;";
                break;
            case '>':
                out += "&gt;";
                break;
            case '&':
                out += "&amp;";
                break;
            case '"':
                out += "&quot;";
                break;
            case '\r':
                out += "&#13;";
                break;
            case '\n':
                out += "&#10;";  // in an attribute a plain one is read as a blank
                break;
            case '\t':
                out += "&#9;";
                break;
            default:
                out += static_cast<unsigned char>(c) < 0x20 ? '?' : c;
        }
}

void XmlWriter::end_tag() {
    if (in_tag_) out_ += '>';
    in_tag_ = false;
}

XmlWriter& XmlWriter::open(std::string_view name) {
    end_tag();
    out_.append(1, '<').append(name);
    open_.emplace_back(name);
    in_tag_ = true;
    return *this;
}

XmlWriter& XmlWriter::attribute(std::string_view name, std::string_view value) {
    assert(in_tag_);
    out_.append(1, ' ').append(name).append("=\"");
    append_xml_text(out_, value);
    out_ += '"';
    return *this;
}

XmlWriter& XmlWriter::text(std::string_view text) {
    end_tag();
    append_xml_text(out_, text);
    return *this;
}

XmlWriter& XmlWriter::raw(std::string_view part) {
    end_tag();
    out_ += part;
    return *this;
}

XmlWriter& XmlWriter::close() {
    assert(!open_.empty());
    if (in_tag_)
        out_ += "/>";
    else
        out_.append("</").append(open_.back()).append(1, '>');
    in_tag_ = false;
    open_.pop_back();
    return *this;
}

}  // namespace wattmesh::platform
