#include "headend/console/api.h"
#include "headend/console/json.h"
#include "headend/database/validation_days.h"

namespace wattmesh::headend::console {
namespace {

constexpr int findings_max = 500;

std::optional<DeviceNumber> meter_of(const Request& request) {
    const auto digits = request.text("meter");
    if (digits.empty()) return std::nullopt;
    const auto number = DeviceNumber::parse(digits);
    if (!number) throw Problem{400, "Bad request", "'meter' must be a number of twelve digits."};
    return number;
}

Answer list_findings(Context& context, const Request& request) {
    const auto meter = meter_of(request);
    auto connection = context.lease(request);
    Json json;
    json.open_object().key("items").open_array();
    for (const auto& finding :
         database::ValidationDays{*connection}.list(request.text("rule"), meter, findings_max)) {
        json.open_object().field("meter", finding.meter).field("day", finding.day);
        json.field("first", finding.first).field("last", finding.last).field("rule", finding.rule);
        json.field("verdict", finding.verdict).field("quality", finding.quality);
        json.field("value", finding.value).field("believed", finding.believed).close_object();
    }
    return {.body = json.close_array().close_object().take()};
}

}  // namespace

void add_validation_routes(std::vector<Route>& routes, Context& context) {
    add_route(routes, context, "GET", "/api/validation", database::Right::look, list_findings);
}

}  // namespace wattmesh::headend::console
