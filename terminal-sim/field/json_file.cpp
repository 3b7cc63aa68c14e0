#include "terminal-sim/field/json_file.h"

#include <Poco/JSON/Parser.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <sstream>

namespace wattmesh::sim {

Poco::JSON::Object::Ptr read_json_file(const std::filesystem::path& file, const std::string& kind) {
    std::ifstream in(file, std::ios::binary);
    if (!in) throw file_trouble(file, "cannot be read; `terminal-sim provision --out DIR` makes it");
    Poco::JSON::Object::Ptr object;
    try {
        object = Poco::JSON::Parser{}.parse(in).extract<Poco::JSON::Object::Ptr>();
    } catch (const Poco::Exception&) {
        throw file_trouble(file, "is not one JSON object");
    }
    if (text_member(file, *object, "wattmesh") != kind)
        throw file_trouble(file, "is not a " + kind + " file (member \"wattmesh\")");
    return object;
}

void write_private_file(const std::filesystem::path& file, const std::string& content) {
    const std::filesystem::path fresh = file.string() + ".new";
    const int descriptor = ::open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (descriptor < 0) throw file_trouble(fresh, "cannot be written; check the folder and its rights");
    std::size_t done = 0;
    bool good = ::fchmod(descriptor, 0600) == 0;
    while (good && done < content.size()) {
        const auto written = ::write(descriptor, content.data() + done, content.size() - done);
        good = written > 0;
        if (good) done += static_cast<std::size_t>(written);
    }
    good = ::close(descriptor) == 0 && good;
    if (!good) throw file_trouble(fresh, "cannot be written whole; is the disk full?");
    std::filesystem::rename(fresh, file);
}

std::string text_member(const std::filesystem::path& file, const Poco::JSON::Object& object,
                        const std::string& name) {
    const auto value = object.get(name);
    if (!value.isString()) throw file_trouble(file, "member \"" + name + "\" is missing or not a text");
    return value.toString();
}

std::int64_t number_member(const std::filesystem::path& file, const Poco::JSON::Object& object,
                           const std::string& name) {
    const auto value = object.get(name);
    if (!value.isInteger())
        throw file_trouble(file, "member \"" + name + "\" is missing or not a whole number");
    return value.convert<std::int64_t>();
}

Poco::JSON::Array::Ptr array_member(const std::filesystem::path& file, const Poco::JSON::Object& object,
                                    const std::string& name) {
    const auto array = object.getArray(name);
    if (array.isNull()) throw file_trouble(file, "member \"" + name + "\" is missing or not an array");
    return array;
}

}  // namespace wattmesh::sim
