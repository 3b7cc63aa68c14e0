#include "protocol/link/hello_profile.h"

#include <charconv>
#include <map>

namespace wattmesh::link {
namespace {

constexpr std::size_t text_size_max = 16'384;

std::string_view trimmed(std::string_view text) {
    const auto begin = text.find_first_not_of(" \t\r");
    if (begin == std::string_view::npos) return {};
    return text.substr(begin, text.find_last_not_of(" \t\r") - begin + 1);
}

std::optional<int> number_in(std::string_view text, int low, int high) {
    int value = 0;
    const auto end = std::from_chars(text.data(), text.data() + text.size(), value);
    if (end.ec != std::errc{} || end.ptr != text.data() + text.size() || value < low || value > high)
        return std::nullopt;
    return value;
}

struct Value {
    int line = 0;
    std::string_view text;
};
using Values = std::map<std::string_view, Value>;

/// Nothing, or what is wrong with a line.
std::optional<ProfileFault> read_lines(std::string_view text, Values& values) {
    constexpr std::string_view known[]{"name",          "summary",  "carries", "identity",
                                       "identity.size", "login",    "beat",    "login.answer",
                                       "beat.answer",   "checksum", "beat_s"};
    for (int number = 1; !text.empty(); ++number) {
        const auto end = text.find('\n');
        const auto line = trimmed(text.substr(0, end));
        text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
        if (line.empty() || line.front() == '#') continue;
        const auto equals = line.find('=');
        const auto key = trimmed(line.substr(0, equals));
        if (equals == std::string_view::npos) return ProfileFault{number, "is not key = value"};
        bool is_known = false;
        for (const auto name : known) is_known = is_known || name == key;
        if (!is_known) return ProfileFault{number, "the key \"" + std::string{key} + "\" is unknown"};
        const Value value{number, trimmed(line.substr(equals + 1))};
        if (!values.emplace(key, value).second) return ProfileFault{number, "the key stands twice"};
    }
    return std::nullopt;
}

/// Reads values; the first fault stays.
class Fields {
public:
    explicit Fields(const Values& values) : values_(values) {}

    std::string_view text(std::string_view key) {
        const auto found = values_.find(key);
        return found == values_.end() ? std::string_view{} : found->second.text;
    }
    /// 0 for the first word, and so on; the first one where nothing is said.
    std::size_t choice(std::string_view key, std::string_view first, std::string_view second) {
        const auto word = text(key);
        if (word.empty() || word == first) return 0;
        if (word == second) return 1;
        fail(key, "is neither " + std::string{first} + " nor " + std::string{second});
        return 0;
    }
    int number(std::string_view key, int otherwise, int high) {
        if (text(key).empty()) return otherwise;
        const auto value = number_in(text(key), 1, high);
        if (!value) fail(key, "is not a number from 1 to " + std::to_string(high));
        return value.value_or(otherwise);
    }
    HelloPattern message(std::string_view key, HelloPattern::Encoding encoding, std::size_t identity_size) {
        if (text(key).empty()) return {};
        std::string why;
        auto pattern = HelloPattern::parse(text(key), encoding, identity_size, why);
        if (!pattern) fail(key, why);
        return pattern ? *std::move(pattern) : HelloPattern{};
    }
    void fail(std::string_view key, const std::string& why) {
        const auto found = values_.find(key);
        if (!fault)
            fault =
                ProfileFault{found == values_.end() ? 0 : found->second.line, std::string{key} + ": " + why};
    }
    std::optional<ProfileFault> fault;

private:
    const Values& values_;
};

}  // namespace

std::string_view to_string(Carried carried) {
    switch (carried) {
        case Carried::wrapper:
            return "wrapper";
        case Carried::modbus_rtu:
            return "modbus-rtu";
        case Carried::modbus_tcp:
            return "modbus-tcp";
        case Carried::gdw376:
            return "gdw376";
    }
    return "?";
}

std::variant<HelloProfile, ProfileFault> parse_hello_profile(std::string_view text) {
    if (text.size() > text_size_max) return ProfileFault{0, "the profile is longer than 16 KiB"};
    Values values;
    if (auto fault = read_lines(text, values)) return *std::move(fault);
    Fields fields{values};
    HelloProfile profile;
    profile.name = fields.text("name");
    profile.summary = fields.text("summary");
    profile.carries = static_cast<Carried>(fields.choice("carries", "wrapper", "modbus-rtu"));
    const auto encoding = static_cast<HelloPattern::Encoding>(fields.choice("identity", "ascii", "bcd"));
    const auto size = static_cast<std::size_t>(
        fields.number("identity.size", 0, static_cast<int>(HelloPattern::identity_size_max)));
    profile.login = fields.message("login", encoding, size);
    profile.login_answer = fields.message("login.answer", encoding, size);
    profile.beat = fields.message("beat", encoding, size);
    profile.beat_answer = fields.message("beat.answer", encoding, size);
    profile.checksum_demanded = fields.choice("checksum", "counted", "demanded") == 1;
    profile.beat_every = std::chrono::seconds{fields.number("beat_s", 60, 3'600)};
    if (profile.name.empty()) fields.fail("name", "is missing");
    if (fields.text("carries").empty()) fields.fail("carries", "is missing");
    if (!fields.fault && !profile.login.has_identity()) fields.fail("login", "has no id");
    if (fields.fault) return *std::move(fields.fault);
    return profile;
}

HelloFound find_hello(const std::vector<const HelloProfile*>& profiles, Bytes stream) {
    HelloFound found;
    for (const HelloProfile* profile : profiles) {
        for (const bool beat : {false, true}) {
            auto match = (beat ? profile->beat : profile->login).match(stream);
            const bool whole = match.verdict == HelloMatch::Verdict::yes;
            if (whole && profile->checksum_demanded && !match.checksum_ok) continue;
            if (match.verdict == HelloMatch::Verdict::no) continue;
            const bool had_whole = found.match.verdict == HelloMatch::Verdict::yes;
            if (whole ? had_whole && found.match.size <= match.size : found.profile != nullptr) continue;
            found = {profile, beat, std::move(match), {}};
        }
    }
    if (found.match.verdict != HelloMatch::Verdict::yes) return found;
    const auto& answer = found.beat ? found.profile->beat_answer : found.profile->login_answer;
    if (!answer.empty())
        found.answer = answer.build(found.match.identity, found.match.captured).value_or(Buffer{});
    return found;
}

}  // namespace wattmesh::link
