#include "headend/console/relay_gate.h"

#include <algorithm>

#include "headend/console/json.h"

namespace wattmesh::headend::console {
namespace {

constexpr std::size_t named_max = 20;

}  // namespace

std::vector<DeviceNumber> numbers_of(const std::vector<std::string>& subjects) {
    std::vector<DeviceNumber> numbers;
    numbers.reserve(subjects.size());
    for (const auto& subject : subjects) numbers.push_back(DeviceNumber::parse(subject).value());
    return numbers;
}

void check_not_stopped(database::Connection& connection, const Request& request) {
    if (const auto stop = database::RelayRules{connection}.stopped(request.caller->user.tenant))
        throw Problem{409, "Switching is stopped",
                      stop->by + " stopped all switching (" + stop->reason +
                          "). It goes on when somebody releases the stop."};
}

void refuse_protected(const std::vector<database::ProtectedMeter>& spared) {
    if (spared.empty()) return;
    std::string names;
    for (std::size_t i = 0; i < std::min(spared.size(), named_max); ++i)
        names += (i == 0 ? "" : ", ") + to_string(spared[i].meter) + " (" + spared[i].why + ")";
    if (spared.size() > named_max) names += " and " + std::to_string(spared.size() - named_max) + " more";
    throw Problem{409, "Protected meters",
                  "Nothing was ordered. These meters must not be cut off: " + names + "."};
}

Answer plan_of(const Context& context, database::Connection& connection,
               const std::vector<std::string>& subjects,
               const std::vector<database::ProtectedMeter>& spared) {
    Json json;
    json.open_object().field("meters", static_cast<int>(subjects.size()));
    json.field("second_person", static_cast<int>(subjects.size()) > context.settings.second_person_above);
    json.key("protected").open_array();
    for (const auto& meter : spared)
        json.open_object().field("meter", meter.meter).field("why", meter.why).close_object();
    json.close_array().key("concentrators").open_array();
    for (const auto& share : database::RelayRules{connection}.shares(numbers_of(subjects)))
        json.open_object()
            .field("concentrator", share.concentrator)
            .field("meters", share.meters)
            .close_object();
    json.close_array().key("feeders").open_array();
    for (const auto& [feeder, meters] : database::RelayRules{connection}.feeders(numbers_of(subjects)))
        json.open_object().field("feeder", feeder).field("meters", meters).close_object();
    json.close_array().close_object();
    return {.body = json.take()};
}

database::JobState gated(const Context& context, std::size_t meters) {
    const bool alone = meters <= static_cast<std::size_t>(context.settings.second_person_above);
    return alone ? database::JobState::queued : database::JobState::proposed;
}

}  // namespace wattmesh::headend::console
