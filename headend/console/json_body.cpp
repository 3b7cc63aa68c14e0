#include "headend/console/json_body.h"

#include <Poco/JSON/Parser.h>
#include <Poco/UTF8Encoding.h>

#include "headend/console/http.h"

namespace wattmesh::headend::console {
namespace {

constexpr int depth_max = 8;

[[noreturn]] void bad(const std::string& detail) { throw Problem{400, "Bad request", detail}; }

bool utf8(const std::string& text) {
    for (std::size_t i = 0; i < text.size();) {
        const auto lead = static_cast<unsigned char>(text[i]);
        const std::size_t length = lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
        if (i + length > text.size()) return false;
        if (!Poco::UTF8Encoding::isLegal(reinterpret_cast<const unsigned char*>(text.data()) + i,
                                         static_cast<int>(length)))
            return false;
        i += length;
    }
    return true;
}

}  // namespace

JsonBody::JsonBody(const std::string& body) {
    try {
        Poco::JSON::Parser parser;
        parser.setDepth(depth_max);
        object_ = parser.parse(body).extract<Poco::JSON::Object::Ptr>();
    } catch (const Poco::Exception&) {
        bad("The body must be a JSON object.");
    } catch (const std::exception&) {
        bad("The body must be a JSON object.");
    }
    if (object_.isNull()) bad("The body must be a JSON object.");
}

std::string JsonBody::text(const std::string& name, std::size_t size_max) const {
    const auto value = object_->get(name);
    if (value.isEmpty() || !value.isString()) bad("'" + name + "' must be a text.");
    auto text = value.extract<std::string>();
    if (text.empty() || text.size() > size_max)
        bad("'" + name + "' must have 1 to " + std::to_string(size_max) + " characters.");
    if (text.find('\0') != std::string::npos || !utf8(text))
        bad("'" + name + "' holds a character that is not allowed.");
    return text;
}

std::string JsonBody::text_or(const std::string& name, std::size_t size_max,
                              const std::string& otherwise) const {
    return object_->has(name) ? text(name, size_max) : otherwise;
}

int JsonBody::number_or(const std::string& name, int low, int high, int otherwise) const {
    if (!object_->has(name)) return otherwise;
    const auto value = object_->get(name);
    const auto range = "'" + name + "' must be a whole number from " + std::to_string(low) + " to " +
                       std::to_string(high) + ".";
    if (value.isEmpty() || !value.isInteger()) bad(range);
    try {
        const auto number = value.convert<Poco::Int64>();
        if (number < low || number > high) bad(range);
        return static_cast<int>(number);
    } catch (const Poco::Exception&) {
        bad(range);
    }
}

bool JsonBody::has(const std::string& name) const { return object_->has(name); }

bool JsonBody::flag_or(const std::string& name, bool otherwise) const {
    if (!object_->has(name)) return otherwise;
    const auto value = object_->get(name);
    if (value.isEmpty() || !value.isBoolean()) bad("'" + name + "' must be true or false.");
    return value.convert<bool>();
}

std::vector<JsonBody> JsonBody::objects(const std::string& name) const {
    std::vector<JsonBody> found;
    if (!object_->has(name)) return found;
    const auto array = object_->getArray(name);
    if (array.isNull()) bad("'" + name + "' must be a list.");
    for (const auto& element : *array) {
        if (element.type() != typeid(Poco::JSON::Object::Ptr)) bad("'" + name + "' must hold objects.");
        found.push_back(JsonBody{element.extract<Poco::JSON::Object::Ptr>()});
    }
    return found;
}

std::set<std::string> JsonBody::texts(const std::string& name) const {
    std::set<std::string> found;
    const auto array = object_->getArray(name);
    if (array.isNull()) return found;
    for (const auto& element : *array) {
        if (!element.isString()) bad("'" + name + "' must hold texts.");
        found.insert(element.extract<std::string>());
    }
    return found;
}

}  // namespace wattmesh::headend::console
