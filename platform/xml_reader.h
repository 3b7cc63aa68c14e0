#pragma once
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace wattmesh::platform {

struct XmlAttribute {
    std::string space, name;
    std::string value;
};

/// What is wrong with a document, in words for who wrote it.
class XmlError : public std::runtime_error {
public:
    enum class Kind {
        malformed,  ///< not well-formed
        forbidden,  ///< a document type definition, and with it every entity of its own
        too_large,  ///< beyond a limit
    };
    XmlError(Kind kind, const std::string& what) : std::runtime_error(what), kind_(kind) {}
    Kind kind() const { return kind_; }

private:
    Kind kind_;
};

struct XmlLimits {
    std::size_t octets = std::size_t{1} << 20;  ///< of the document
    std::size_t depth = 32, elements = 100'000;
    std::size_t attributes = 16;   ///< of an element
    std::size_t text = 64 * 1024;  ///< in one piece without a tag, octets of UTF-8
    std::size_t name = 256;        ///< of an element or attribute with its namespace, octets
};

/// Hears a document front to back. What it throws leaves XmlReader::feed.
class XmlHandler {
public:
    virtual ~XmlHandler() = default;
    /// `space`: the namespace's name, empty for none.
    virtual void start(std::string_view space, std::string_view name,
                       const std::vector<XmlAttribute>& attributes) = 0;
    /// Between tags; maybe in several pieces.
    virtual void text(std::string_view text) = 0;
    virtual void end() = 0;
};

/// Reads a document of somebody else's as it comes (XML 1.0 with namespaces), by expat. It is UTF-8 whatever
/// it says of itself: its octets are kept as they came. Comments and
/// processing instructions are passed over. One thread.
class XmlReader {
public:
    XmlReader(XmlHandler& handler, XmlLimits limits);
    ~XmlReader();
    XmlReader(const XmlReader&) = delete;
    XmlReader& operator=(const XmlReader&) = delete;

    /// Throws XmlError; then, and after anything the handler throws, it is of no more use.
    void feed(std::string_view piece);
    /// Throws XmlError when the document is not whole.
    void finish();

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace wattmesh::platform
