#pragma once
#include <Poco/JSON/Object.h>

#include <filesystem>
#include <stdexcept>
#include <string>

namespace wattmesh::sim {

/// Trouble with one of our files, in words for the person who named it on the command line.
inline std::runtime_error file_trouble(const std::filesystem::path& file, const std::string& why) {
    return std::runtime_error(file.string() + ": " + why);
}

/// The one object in the file. `kind` is the value its "wattmesh" member must have.
Poco::JSON::Object::Ptr read_json_file(const std::filesystem::path& file, const std::string& kind);
/// Replaces the file in one step, mode 0600.
void write_private_file(const std::filesystem::path& file, const std::string& content);

/// Members that must be there; `file` and the name go into the message when one is not.
std::string text_member(const std::filesystem::path& file, const Poco::JSON::Object& object,
                        const std::string& name);
std::int64_t number_member(const std::filesystem::path& file, const Poco::JSON::Object& object,
                           const std::string& name);
Poco::JSON::Array::Ptr array_member(const std::filesystem::path& file, const Poco::JSON::Object& object,
                                    const std::string& name);

}  // namespace wattmesh::sim
