#include <fmt/format.h>

#include <cstdio>

#include "protocol/dlms/counter_recovery.h"
#include "terminal-sim/tool/command.h"
#include "terminal-sim/tool/data_text.h"
#include "terminal-sim/tool/session_options.h"

namespace wattmesh::sim {
namespace {

using namespace dlms;

constexpr std::uint16_t association_class = 15, security_setup_class = 64, data_class = 1;
constexpr ObisCode security_setup{{0, 0, 43, 0, 0, 255}};

std::string member(const char* name, const ReadOutcome& outcome) {
    const auto* data = std::get_if<Data>(&outcome);
    return data == nullptr ? "" : fmt::format(R"(,"{}":{})", name, to_json(*data));
}

/// What an open association tells of itself: attribute 5 of Association LN holds the xDLMS context
/// (Blue Book (DLMS UA 1000-1) ed. 14, 4.4.4).
std::string told(MeterSession& session, const MeterSession::Who& who) {
    std::string text;
    const auto list = session.get({association_class, obis::current_association, 2});
    const auto* objects = std::get_if<Data>(&list);
    if (objects != nullptr && objects->elements() != nullptr)
        text += fmt::format(R"(,"objects":{})", objects->elements()->size());
    const auto context = session.get({association_class, obis::current_association, 5});
    const auto* fields = std::get_if<Data>(&context);
    if (fields != nullptr && fields->elements() != nullptr && fields->elements()->size() >= 3)
        text += fmt::format(R"(,"pdu_size_max":{})", to_json((*fields->elements())[1]));
    if (who.authentication() == cosem::Authentication::high_gmac) {
        text += member("security_policy", session.get({security_setup_class, security_setup, 2}));
        text += member("security_suite", session.get({security_setup_class, security_setup, 3}));
    }
    return text;
}

enum class Ended { accepted, refused, no_answer };

Ended try_one(const platform::Settings& settings, const std::string& client, const MeterSession::Who& who) {
    const auto kind = link_of(settings);
    const auto timeout = std::chrono::seconds{settings.optional_in<int>("timeout", 10, 1, 600)};
    const Sap server{settings.optional<std::uint16_t>("server", management_logical_device.value)};
    const auto head = fmt::format(R"({{"client":"{}","sap":{})", client, who.client.value);
    try {
        BenchCall bench{settings.required<platform::HostPort>("tcp"), kind, server, timeout,
                        line_of(settings, kind)};
        MeterSession session{bench, who};
        const auto more = told(session, who);
        session.release();
        std::printf("%s,\"accepted\":true%s}\n", head.c_str(), more.c_str());
        return Ended::accepted;
    } catch (const MeterSession::Refused& error) {
        std::printf("%s,\"accepted\":false,\"why\":\"%s\"}\n", head.c_str(),
                    json_escaped(error.what()).c_str());
        return Ended::refused;
    } catch (const std::runtime_error& error) {
        std::printf("%s,\"accepted\":null,\"why\":\"%s\"}\n", head.c_str(),
                    json_escaped(error.what()).c_str());
        return Ended::no_answer;
    }
}

}  // namespace

int run_assoc(const Call& call) {
    const auto& settings = call.settings;
    const auto& model = model_of(settings);
    if (settings.has("client")) {
        const auto client = settings.required<std::string>("client");
        return static_cast<int>(try_one(settings, client, who_of(settings, model)));
    }
    int status = 0;
    for (const char* client : {"public", "reading", "management"}) {
        const bool reading = std::string_view{client} == "reading";
        const bool management = std::string_view{client} == "management";
        if ((reading && !settings.has("secret")) || (management && !settings.has("ek"))) {
            std::printf("{\"client\":\"%s\",\"accepted\":null,\"why\":\"not tried: needs %s\"}\n", client,
                        reading ? "--secret" : "--ek and --ak");
            continue;
        }
        status =
            std::max(status, static_cast<int>(try_one(settings, client, who_of(settings, model, client))));
    }
    return status;
}

}  // namespace wattmesh::sim
