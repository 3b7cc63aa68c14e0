#include "platform/xml_tree.h"

namespace wattmesh::platform {
namespace {

constexpr std::string_view white = " \t\r\n";

class TreeBuilder final : public XmlHandler {
public:
    void start(std::string_view space, std::string_view name,
               const std::vector<XmlAttribute>& attributes) override {
        auto& place = open_.empty() ? root_ : open_.back()->children.emplace_back();
        place.space = space;
        place.name = name;
        place.attributes = attributes;
        open_.push_back(&place);
    }
    void text(std::string_view text) override {
        if (!open_.empty()) open_.back()->text += text;
    }
    void end() override {
        auto& text = open_.back()->text;
        const auto last = text.find_last_not_of(white);
        text.erase(last == std::string::npos ? 0 : last + 1);
        text.erase(0, std::min(text.find_first_not_of(white), text.size()));
        open_.pop_back();
    }
    XmlElement take() { return std::move(root_); }

private:
    XmlElement root_;
    /// Only the last one grows: the others' places stay where they are.
    std::vector<XmlElement*> open_;
};

}  // namespace

const XmlElement* XmlElement::child(std::string_view of_name) const {
    for (const auto& one : children)
        if (one.is(space, of_name)) return &one;
    return nullptr;
}

std::string_view XmlElement::attribute(std::string_view of_name) const {
    for (const auto& one : attributes)
        if (one.space.empty() && one.name == of_name) return one.value;
    return {};
}

XmlElement parse_xml(std::string_view document, XmlLimits limits) {
    TreeBuilder builder;
    XmlReader reader{builder, limits};
    reader.feed(document);
    reader.finish();
    return builder.take();
}

}  // namespace wattmesh::platform
