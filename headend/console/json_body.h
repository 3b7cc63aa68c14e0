#pragma once
#include <Poco/JSON/Object.h>

#include <set>
#include <string>
#include <vector>

namespace wattmesh::headend::console {

/// The JSON object of a request. Every fault is a Problem 400 that names the member.
class JsonBody {
public:
    explicit JsonBody(const std::string& body);
    /// Must be there, a string of 1 to `size_max` octets.
    std::string text(const std::string& name, std::size_t size_max) const;
    std::string text_or(const std::string& name, std::size_t size_max, const std::string& otherwise) const;
    /// Must be a whole number in [low, high]; `otherwise` when it is absent.
    int number_or(const std::string& name, int low, int high, int otherwise) const;
    bool has(const std::string& name) const;
    bool flag_or(const std::string& name, bool otherwise) const;
    /// Objects of an array; empty when it is absent.
    std::vector<JsonBody> objects(const std::string& name) const;
    /// Strings of an array; empty when it is absent.
    std::set<std::string> texts(const std::string& name) const;

private:
    explicit JsonBody(Poco::JSON::Object::Ptr object) : object_(std::move(object)) {}

    Poco::JSON::Object::Ptr object_;
};

}  // namespace wattmesh::headend::console
