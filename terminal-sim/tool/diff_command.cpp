#include <Poco/JSON/Object.h>
#include <Poco/JSON/Parser.h>

#include <cstdio>
#include <fstream>
#include <map>
#include <optional>
#include <sstream>

#include "platform/settings.h"
#include "terminal-sim/tool/command.h"

namespace wattmesh::sim {
namespace {

using platform::SettingsError;
constexpr std::size_t line_size_max = 4 << 20, objects_max = 100'000;

/// What `read` printed of one attribute.
struct Line {
    std::string value;                ///< JSON
    std::optional<long long> number;  ///< when it is a whole number
    std::string unit;                 ///< JSON members `scaler` and `unit`, with a comma before; or empty
};
/// By "object/attribute".
using Dump = std::map<std::string, Line>;

std::string json_of(const Poco::Dynamic::Var& value) {
    std::ostringstream out;
    Poco::JSON::Stringifier::stringify(value, out);
    return out.str();
}

Line line_of(const Poco::JSON::Object& read) {
    Line line;
    const auto value = read.has("value") ? read.get("value") : read.get("error");
    line.value = json_of(value);
    if (!value.isEmpty() && value.isInteger() && value.isSigned()) line.number = value.convert<Poco::Int64>();
    for (const char* name : {"scaler", "unit"})
        if (read.has(name)) line.unit += std::string{",\""} + name + "\":" + json_of(read.get(name));
    return line;
}

Dump load(const std::string& path) {
    std::ifstream in{path};
    if (!in) throw SettingsError(path + ": cannot be read");
    Dump dump;
    std::string text;
    for (int number = 1; std::getline(in, text); ++number) {
        if (text.empty()) continue;
        const auto wrong = [&](const char* why) -> SettingsError {
            return SettingsError(path + ": line " + std::to_string(number) + " " + why +
                                 "; give files that `terminal-sim read` printed");
        };
        if (text.size() > line_size_max || dump.size() >= objects_max) throw wrong("is too much");
        try {
            const auto read = Poco::JSON::Parser{}.parse(text).extract<Poco::JSON::Object::Ptr>();
            if (read.isNull() || !read->has("object") || !read->has("attribute"))
                throw wrong("names no object");
            dump[read->get("object").toString() + "/" + read->get("attribute").toString()] = line_of(*read);
        } catch (const Poco::Exception&) {
            throw wrong("is no JSON");
        }
    }
    return dump;
}

void print(const std::string& name, const Line* before, const Line* after) {
    std::string text = R"({"object":")" + name.substr(0, name.find('/')) + R"(","attribute":)" +
                       name.substr(name.find('/') + 1);
    text += ",\"before\":" + (before != nullptr ? before->value : "null");
    text += ",\"after\":" + (after != nullptr ? after->value : "null");
    long long difference = 0;
    if (before != nullptr && after != nullptr && before->number && after->number &&
        !__builtin_sub_overflow(*after->number, *before->number, &difference))
        text += ",\"difference\":" + std::to_string(difference);
    std::printf("%s%s}\n", text.c_str(), (after != nullptr ? after : before)->unit.c_str());
}

}  // namespace

int run_diff(const Call& call) {
    if (call.words.size() != 2)
        throw SettingsError("give two files that `terminal-sim read` printed: before and after");
    const auto before = load(call.words[0]), after = load(call.words[1]);
    bool same = true;
    for (const auto& [name, line] : before) {
        const auto now = after.find(name);
        const auto* const other = now == after.end() ? nullptr : &now->second;
        if (other != nullptr && other->value == line.value && other->unit == line.unit) continue;
        print(name, &line, other);
        same = false;
    }
    for (const auto& [name, line] : after) {
        if (before.contains(name)) continue;
        print(name, nullptr, &line);
        same = false;
    }
    return same ? 0 : 1;
}

}  // namespace wattmesh::sim
