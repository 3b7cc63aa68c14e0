#include <fmt/format.h>

#include <charconv>
#include <cstdio>

#include "protocol/cosem/units.h"
#include "terminal-sim/tool/command.h"
#include "terminal-sim/tool/data_text.h"
#include "terminal-sim/tool/profile_reading.h"
#include "terminal-sim/tool/running.h"
#include "terminal-sim/tool/session_options.h"

namespace wattmesh::sim {
namespace {

using namespace dlms;
using platform::SettingsError;

struct Wanted {
    ObisCode object;
    std::int8_t attribute = 2;
};

Wanted parse_wanted(const std::string& word) {
    if (word == "list") return {obis::current_association, 2};
    const auto slash = word.find('/');
    const auto object = ObisCode::parse(std::string_view{word}.substr(0, slash));
    int attribute = 2;
    if (slash != std::string::npos) {
        const char* end = word.data() + word.size();
        if (std::from_chars(word.data() + slash + 1, end, attribute).ptr != end || attribute < 1 ||
            attribute > 127)
            attribute = 0;
    }
    if (!object || attribute == 0)
        throw SettingsError(word + ": is not OBIS or OBIS/ATTRIBUTE, for example 1.8.0 or 1-0:99.1.0*255/3");
    return {*object, static_cast<std::int8_t>(attribute)};
}

/// Classes of the meter's objects, asked once.
class ObjectList {
public:
    explicit ObjectList(MeterSession& session) : session_(session) {}
    std::uint16_t class_of(const ObisCode& name) {
        if (name == obis::current_association) return 15;
        if (list_.elements() == nullptr) {
            auto outcome = session_.get({15, obis::current_association, 2});
            if (auto* list = std::get_if<Data>(&outcome)) list_ = std::move(*list);
        }
        if (list_.elements() != nullptr)
            for (const auto& entry : *list_.elements()) {
                const auto* fields = entry.elements();
                if (fields == nullptr || fields->size() < 3 ||
                    !std::ranges::equal((*fields)[2].octets(), name.groups))
                    continue;
                return static_cast<std::uint16_t>((*fields)[0].integer().value_or(0));
            }
        throw std::runtime_error(
            to_string(name) +
            ": is not in the list of objects this client may see; `list` prints it, --class N asks anyway");
    }

private:
    MeterSession& session_;
    Data list_;
};

std::optional<std::pair<Instant, Instant>> range_of(const platform::Settings& settings) {
    if (!settings.has("from") && !settings.has("to")) return std::nullopt;
    const auto instant = [&](const char* name, const char* fallback) {
        const auto word = settings.optional<std::string>(name, fallback);
        const auto at = parse_instant(word);
        if (!at)
            throw SettingsError(std::string{"--"} + name + " " + word +
                                ": is neither Unix seconds nor like 2026-11-22T10:00:00Z");
        return *at;
    };
    return std::pair{instant("from", "0"), instant("to", "4102444800")};
}

/// False when the meter refused.
bool print(MeterSession& session, const AttributeId& id,
           const std::optional<std::pair<Instant, Instant>>& range) {
    const auto outcome =
        id.class_id == 7 && id.attribute == 2 ? read_profile(session, id.object, range) : session.get(id);
    const std::string head = fmt::format(R"({{"object":"{}","class":{},"attribute":{})", to_string(id.object),
                                         id.class_id, id.attribute);
    if (const auto* refused = std::get_if<AccessResult>(&outcome)) {
        std::printf("%s,\"error\":\"%s\"}\n", head.c_str(), std::string{to_string(*refused)}.c_str());
        return false;
    }
    std::string scale;
    if (id.class_id == 3 && id.attribute == 2) {
        const auto scaler_unit = session.get({3, id.object, 3});
        const auto* data = std::get_if<Data>(&scaler_unit);
        const auto* parts = data == nullptr ? nullptr : data->elements();
        if (parts != nullptr && parts->size() == 2)
            scale = fmt::format(R"(,"scaler":{},"unit":"{}")", to_json((*parts)[0]),
                                cosem::unit_name(static_cast<int>((*parts)[1].integer().value_or(255))));
    }
    std::printf("%s,\"value\":%s%s}\n", head.c_str(), to_json(std::get<Data>(outcome)).c_str(),
                scale.c_str());
    return true;
}

}  // namespace

int run_read(const Call& call) {
    const auto& settings = call.settings;
    if (call.words.empty())
        throw SettingsError("nothing to read; give OBIS codes, for example 1.8.0, or `list`");
    std::vector<Wanted> wanted;
    wanted.reserve(call.words.size());
    for (const auto& word : call.words) wanted.push_back(parse_wanted(word));
    const LinkKind kind = link_of(settings);
    const BenchLine line = line_of(settings, kind);
    const auto who = who_of(settings, model_of(settings));
    const auto range = range_of(settings);
    const auto timeout = std::chrono::seconds{settings.optional_in<int>("timeout", 10, 1, 600)};
    const Sap server{settings.optional<std::uint16_t>("server", management_logical_device.value)};

    BenchCall bench{settings.required<platform::HostPort>("tcp"), kind, server, timeout, line};
    MeterSession session{bench, who};
    ObjectList objects{session};
    bool all_read = true;
    for (const auto& one : wanted) {
        const auto class_id =
            settings.has("class") ? settings.required<std::uint16_t>("class") : objects.class_of(one.object);
        all_read = print(session, {class_id, one.object, one.attribute}, range) && all_read;
    }
    session.release();
    return all_read ? 0 : 1;
}

}  // namespace wattmesh::sim
