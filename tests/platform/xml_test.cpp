#include <catch2/catch.hpp>

#include "platform/xml_tree.h"
#include "platform/xml_writer.h"

using namespace wattmesh::platform;

namespace {

XmlError::Kind fault_of(const std::string& document, XmlLimits limits = {}) {
    try {
        parse_xml(document, limits);
    } catch (const XmlError& error) {
        INFO(error.what());
        return error.kind();
    }
    FAIL("it was taken: " << document.substr(0, 80));
    return {};
}

std::string nested(int depth) {
    std::string text;
    for (int i = 0; i < depth; ++i) text += "<a>";
    for (int i = 0; i < depth; ++i) text += "</a>";
    return text;
}

}  // namespace

TEST_CASE("xml: names come with the namespace they stand for, whatever their prefix", "[platform]") {
    const auto root = parse_xml(
        "<?xml version=\"1.0\"?><!-- x --><p:a xmlns:p=\"urn:one\" xmlns=\"urn:two\" p:k=\"1\" k=\"2\">"
        "<b> x &amp; &#65;<c/>y </b><p:b/></p:a>",
        {});
    CHECK(root.is("urn:one", "a"));
    CHECK(root.attribute("k") == "2");
    REQUIRE(root.attributes.size() == 2);
    CHECK(root.attributes[0].space == "urn:one");
    REQUIRE(root.children.size() == 2);
    CHECK(root.children[0].is("urn:two", "b"));
    CHECK(root.children[0].text == "x & Ay");
    CHECK(root.child("b") == &root.children[1]);  // of the element's own namespace
    CHECK(root.child("c") == nullptr);
}

TEST_CASE("xml: no document type definition, no entity, nothing that is not well-formed", "[platform]") {
    const std::string bomb =
        "<!DOCTYPE l [<!ENTITY a \"ha\"><!ENTITY b \"&a;&a;&a;&a;&a;&a;&a;&a;\">]><l>&b;</l>";
    CHECK(fault_of(bomb) == XmlError::Kind::forbidden);
    CHECK(fault_of("<!DOCTYPE l SYSTEM \"file:///etc/passwd\"><l/>") == XmlError::Kind::forbidden);
    const auto* wrong = GENERATE("", "<a>", "<a></b>", "<a/><b/>", "<a>&b;</a>", "<p:a/>", "<a b=1/>", "text",
                                 "<a b=\"1\" b=\"2\"/>", "<a>\x01</a>", "<a>\xFF</a>", "<a");
    CHECK(fault_of(wrong) == XmlError::Kind::malformed);
}

TEST_CASE("xml: what grows beyond its limit is refused as soon as it does", "[platform]") {
    const XmlLimits small{.octets = 400, .depth = 4, .elements = 9, .attributes = 2, .text = 20, .name = 30};
    CHECK(parse_xml(nested(4), small).children.size() == 1);
    CHECK(fault_of(nested(5), small) == XmlError::Kind::too_large);
    std::string many;
    for (int i = 0; i < 8; ++i) many += "<b/>";
    CHECK(parse_xml("<a>" + many + "</a>", small).children.size() == 8);
    CHECK(fault_of("<a>" + many + "<b/></a>", small) == XmlError::Kind::too_large);
    CHECK(parse_xml("<a b='1' c='2'/>", small).attributes.size() == 2);
    CHECK(fault_of("<a b='1' c='2' d='3'/>", small) == XmlError::Kind::too_large);
    CHECK(parse_xml("<a>" + std::string(20, 'x') + "</a>", small).text.size() == 20);
    CHECK(fault_of("<a>" + std::string(21, 'x') + "</a>", small) == XmlError::Kind::too_large);
    CHECK(fault_of("<" + std::string(31, 'x') + "/>", small) == XmlError::Kind::too_large);
    CHECK(fault_of("<a xmlns='" + std::string(30, 'u') + "'/>", small) == XmlError::Kind::too_large);
    CHECK(fault_of("<a>" + std::string(400, ' ') + "</a>", small) == XmlError::Kind::too_large);
}

TEST_CASE("xml: a document in pieces is the same document", "[platform]") {
    struct Listing final : XmlHandler {
        void start(std::string_view, std::string_view name, const std::vector<XmlAttribute>&) override {
            heard.append("<").append(name);
        }
        void text(std::string_view text) override { heard += text; }
        void end() override { heard += ">"; }
        std::string heard;
    };
    const std::string document = "<a x='1'>\xC3\xA4<b>2</b>&lt;</a>";
    for (std::size_t cut = 0; cut <= document.size(); ++cut) {
        Listing listing;
        XmlReader reader{listing, {}};
        reader.feed(document.substr(0, cut));
        reader.feed(document.substr(cut));
        reader.finish();
        CHECK(listing.heard == "<a\xC3\xA4<b2><>");
    }
    for (std::size_t size = 0; size < document.size(); ++size)
        CHECK(fault_of(document.substr(0, size)) == XmlError::Kind::malformed);
}

TEST_CASE("xml: what is written reads the same", "[platform]") {
    std::string out;
    XmlWriter xml{out};
    xml.open("a").attribute("k", "<\"&'>\n\tz").element("b", "x<y>&\r z").element("c", "").maybe("d", "");
    xml.element("e", std::string{"\x01"} + "ok").close();
    CHECK(out ==
          "<a k=\"&lt;&quot;&amp;'&gt;&#10;&#9;z\"><b>x&lt;y&gt;&amp;&#13; z</b><c></c><e>?ok</e></a>");
    const auto root = parse_xml(out, {});
    REQUIRE(root.children.size() == 3);
    CHECK(root.attribute("k") == "<\"&'>\n\tz");
    CHECK(root.children[0].text == "x<y>&\r z");
}
