#include "headend/console/relay_gate.h"

#include <algorithm>

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

database::JobState gated(const Context& context, std::size_t meters) {
    const bool alone = meters <= static_cast<std::size_t>(context.settings.second_person_above);
    return alone ? database::JobState::queued : database::JobState::proposed;
}

}  // namespace wattmesh::headend::console
