#include "headend/exchange/rest_desk.h"

#include "headend/database/limited.h"
#include "headend/database/scope.h"

namespace wattmesh::headend::exchange {
namespace {

constexpr std::size_t devices_max = 1'000;

}  // namespace

RestDesk::RestDesk(RestSettings wanted, const platform::Clock& clock_, Random& random_, console::Log log_)
    : settings(std::move(wanted)),
      clock(clock_),
      random(random_),
      log(std::move(log_)),
      tables(settings.database, settings.connections),
      views(database::limited(settings.database), settings.connections) {}

database::ConnectionPool::Lease RestDesk::seen(const database::Contract& contract) {
    auto lease = views.lease();
    database::limit(*lease, contract.areas ? database::Scope::of(contract.tenant, *contract.areas)
                                           : database::Scope::of(contract.tenant));
    return lease;
}

std::vector<DeviceNumber> RestCall::devices(std::string_view name) const {
    std::vector<DeviceNumber> found;
    const auto given = request.text(name);
    for (std::size_t at = 0; at < given.size();) {
        const auto end = std::min(given.find(',', at), given.size());
        const auto word = given.substr(at, end - at);
        const auto number = DeviceNumber::parse(word);
        if (!number)
            throw console::Problem{400, "Bad request",
                                   "'" + word + "' in '" + std::string{name} +
                                       "' is not a number of twelve digits; divide several by commas."};
        found.push_back(*number);
        at = end + 1;
    }
    if (found.size() > devices_max)
        throw console::Problem{400, "Bad request",
                               "'" + std::string{name} + "' may name 1000 devices at most."};
    return found;
}

void demand(const database::Contract& contract, std::string_view what) {
    if (!what.empty() && !contract.allows(what))
        throw console::Problem{403, "Not in the contract",
                               "The contract '" + contract.name + "' does not allow '" + std::string{what} +
                                   "'. The utility can add it: headend partner set " + contract.name +
                                   " --allow ..."};
}

}  // namespace wattmesh::headend::exchange
