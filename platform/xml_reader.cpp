#include "platform/xml_reader.h"

#include <expat.h>

#include <algorithm>
#include <exception>

namespace wattmesh::platform {
namespace {

constexpr XML_Char divider = '\n';  ///< cannot stand in a name nor, normalised, in a namespace

std::pair<std::string_view, std::string_view> split_name(const XML_Char* whole) {
    const std::string_view text{whole};
    const auto middle = text.rfind(divider);
    if (middle == std::string_view::npos) return {{}, text};
    return {text.substr(0, middle), text.substr(middle + 1)};
}

XmlError too_large(const std::string& what, std::size_t limit) {
    return {XmlError::Kind::too_large, what + ": " + std::to_string(limit) + " at most"};
}

}  // namespace

struct XmlReader::State {
    State(XmlHandler& hears, XmlLimits bounds)
        : handler(hears), limits(bounds), parser(XML_ParserCreateNS("UTF-8", divider)) {
        if (parser == nullptr) throw std::bad_alloc{};
        XML_SetUserData(parser, this);
        XML_SetElementHandler(parser, on_start, on_end);
        XML_SetCharacterDataHandler(parser, on_text);
        XML_SetStartDoctypeDeclHandler(parser, on_doctype);
    }
    ~State() { XML_ParserFree(parser); }
    State(const State&) = delete;
    State& operator=(const State&) = delete;

    /// Nothing may be thrown through expat: it is C.
    template <class Work>
    void guard(Work&& work) {
        if (thrown) return;
        try {
            work();
        } catch (...) {
            thrown = std::current_exception();
            XML_StopParser(parser, XML_FALSE);
        }
    }
    static State& of(void* data) { return *static_cast<State*>(data); }
    static void XMLCALL on_start(void* data, const XML_Char* name, const XML_Char** attributes) {
        of(data).guard([&] { of(data).start(name, attributes); });
    }
    static void XMLCALL on_end(void* data, const XML_Char*) {
        auto& state = of(data);
        state.guard([&] {
            state.text_size = 0;
            --state.depth;
            state.handler.end();
        });
    }
    static void XMLCALL on_text(void* data, const XML_Char* text, int size) {
        auto& state = of(data);
        state.guard([&] {
            state.text_size += static_cast<std::size_t>(size);
            if (state.text_size > state.limits.text) throw too_large("a text is too long", state.limits.text);
            state.handler.text({text, static_cast<std::size_t>(size)});
        });
    }
    static void XMLCALL on_doctype(void* data, const XML_Char*, const XML_Char*, const XML_Char*, int) {
        of(data).guard([] {
            throw XmlError{XmlError::Kind::forbidden,
                           "a document type definition (<!DOCTYPE>) is not taken, nor are entities of one"};
        });
    }

    void check_name(const XML_Char* name) const {
        if (std::string_view{name}.size() > limits.name) throw too_large("a name is too long", limits.name);
    }
    void start(const XML_Char* name, const XML_Char** given) {
        text_size = 0;
        if (++depth > limits.depth) throw too_large("elements are nested too deep", limits.depth);
        if (++elements > limits.elements) throw too_large("there are too many elements", limits.elements);
        check_name(name);
        attributes.clear();
        for (; *given != nullptr; given += 2) {
            if (attributes.size() == limits.attributes)
                throw too_large("an element has too many attributes", limits.attributes);
            check_name(given[0]);
            const auto [space, local] = split_name(given[0]);
            attributes.push_back({std::string{space}, std::string{local}, given[1]});
        }
        const auto [space, local] = split_name(name);
        handler.start(space, local, attributes);
    }
    void parse(std::string_view piece, bool last) {
        octets += piece.size();
        if (octets > limits.octets) throw too_large("the document is too large in octets", limits.octets);
        // Expat finds UTF-16 out by itself, whatever it was told.
        if (piece.find('\0') != std::string_view::npos)
            throw XmlError{XmlError::Kind::malformed, "it has an octet 0: write it in UTF-8"};
        const auto status = XML_Parse(parser, piece.data(), static_cast<int>(piece.size()), last ? 1 : 0);
        if (thrown) std::rethrow_exception(thrown);
        if (status != XML_STATUS_OK)
            throw XmlError{XmlError::Kind::malformed,
                           "line " + std::to_string(XML_GetCurrentLineNumber(parser)) + ", column " +
                               std::to_string(XML_GetCurrentColumnNumber(parser) + 1) + ": " +
                               XML_ErrorString(XML_GetErrorCode(parser))};
    }

    XmlHandler& handler;
    const XmlLimits limits;
    const XML_Parser parser;
    std::vector<XmlAttribute> attributes;
    std::size_t octets = 0, depth = 0, elements = 0, text_size = 0;
    std::exception_ptr thrown;
};

XmlReader::XmlReader(XmlHandler& handler, XmlLimits limits)
    : state_(std::make_unique<State>(handler, limits)) {}
XmlReader::~XmlReader() = default;

void XmlReader::feed(std::string_view piece) {
    constexpr std::size_t most = 64 * 1024;  // expat counts octets as int
    for (std::size_t at = 0; at < piece.size(); at += most) state_->parse(piece.substr(at, most), false);
}

void XmlReader::finish() { state_->parse({}, true); }

}  // namespace wattmesh::platform
