#include "terminal-sim/tool/webhook_sink.h"

#include <Poco/JSON/Array.h>
#include <Poco/JSON/Object.h>
#include <Poco/JSON/Parser.h>
#include <fmt/format.h>

#include "security/webhook_signature.h"
#include "terminal-sim/tool/data_text.h"

namespace wattmesh::sim {
namespace {

constexpr int depth_max = 8;

std::optional<std::int64_t> seconds_in(const std::string& text) {
    if (text.empty() || text.size() > 12 || text.find_first_not_of("0123456789") != std::string::npos)
        return std::nullopt;
    return std::stoll(text);
}

}  // namespace

bool WebhookSink::read(const std::string& body, std::vector<Event>& out) const {
    try {
        Poco::JSON::Parser parser;
        parser.setDepth(depth_max);
        const auto document = parser.parse(body);
        std::vector<Poco::JSON::Object::Ptr> objects;
        if (document.type() == typeid(Poco::JSON::Array::Ptr)) {
            const auto list = document.extract<Poco::JSON::Array::Ptr>();
            for (std::size_t i = 0; i < list->size(); ++i)
                objects.push_back(list->getObject(static_cast<unsigned>(i)));
        } else {
            objects.push_back(document.extract<Poco::JSON::Object::Ptr>());
        }
        for (const auto& object : objects) {
            if (!object || object->getValue<std::string>("specversion") != "1.0") return false;
            out.push_back({object->getValue<std::string>("id"), object->getValue<std::string>("type"),
                           object->getValue<std::string>("subject"),
                           object->getValue<std::string>("sequence")});
        }
        return true;
    } catch (const Poco::Exception&) {
        return false;
    }
}

int WebhookSink::take(const Request& request) {
    const auto seconds = seconds_in(request.timestamp);
    const bool signed_well = seconds && security::webhook_signature_holds(request.signature, secret_,
                                                                          request.id, *seconds, request.body);
    std::vector<Event> events;
    const bool sense =
        signed_well && request.type.starts_with("application/cloudevents") && read(request.body, events);
    const std::lock_guard lock{mutex_};
    if (counts_.requests++ < moods_.away) return 503;
    if (moods_.gone) return 410;
    if (!signed_well) {
        ++counts_.forged;
        return 401;
    }
    if (!sense) {
        ++counts_.senseless;
        return 400;
    }
    for (const auto& event : events)
        if (!moods_.refuse.empty() && event.type.ends_with(moods_.refuse)) return 422;
    for (const auto& event : events) {
        if (!ids_.insert(event.id).second) {
            ++counts_.duplicates;
            continue;
        }
        ++counts_.messages;
        ++counts_.by_type[event.type];
        auto& newest = newest_[event.subject];
        if (event.sequence <= newest) ++counts_.out_of_order;
        newest = std::max(newest, event.sequence);
    }
    return 204;
}

WebhookSink::Counts WebhookSink::counts() const {
    const std::lock_guard lock{mutex_};
    return counts_;
}

std::string to_json(const WebhookSink::Counts& counts) {
    std::string types;
    for (const auto& [type, count] : counts.by_type)
        types += fmt::format(R"({}"{}":{})", types.empty() ? "" : ",", json_escaped(type), count);
    return fmt::format(R"({{"requests":{},"messages":{},"duplicates":{},"out_of_order":{},"forged":{},)"
                       R"("senseless":{},"types":{{{}}}}})",
                       counts.requests, counts.messages, counts.duplicates, counts.out_of_order,
                       counts.forged, counts.senseless, types);
}

}  // namespace wattmesh::sim
