#include "headend/console/network_json.h"

#include <algorithm>

#include "headend/database/read_balance.h"

namespace wattmesh::headend::console {
namespace {

/// What the network may lose by itself is a share of the supply; what is lost beyond it is suspected theft.
std::int64_t suspected(std::int64_t supplied, std::int64_t loss, int technical_percent) {
    return std::max<std::int64_t>(0, loss - supplied * technical_percent / 100);
}

}  // namespace

void write(Json& json, const database::NetworkNode& node) {
    json.field("kind", to_string(node.kind)).field("number", node.number).field("name", node.name);
    json.key("position");
    if (node.position)
        json.open_object()
            .field("latitude", node.position->latitude_e7 / 1e7)
            .field("longitude", node.position->longitude_e7 / 1e7)
            .close_object();
    else
        json.null();
}

void write_path(Json& json, const std::vector<database::NetworkNode>& path) {
    json.key("path").open_array();
    for (const auto& node : path)
        json.open_object()
            .field("kind", to_string(node.kind))
            .field("number", node.number)
            .field("name", node.name)
            .close_object();
    json.close_array();
}

void write(Json& json, const database::Customer& customer) {
    json.open_object().field("number", customer.number).field("name", customer.name);
    json.field("address", customer.address).field("phone", customer.phone).close_object();
}

void write(Json& json, const std::optional<database::MeterSite>& site) {
    if (!site) {
        json.null();
        return;
    }
    json.open_object().field("since", site->since);
    write_path(json, site->path);
    json.key("customer");
    if (site->customer)
        write(json, *site->customer);
    else
        json.null();
    json.close_object();
}

Answer balance_of(const Context& context, database::Connection& connection,
                  const database::NetworkNode& transformer, database::UtcDay day) {
    const auto intervals = database::BalanceReader{connection}.of(transformer.id, interval_profile, day);
    const auto meters = database::NetworkReader{connection}.meters(transformer.id);
    const int percent = context.settings.technical_loss_percent;
    std::int64_t supplied = 0, consumed = 0, suspicion = 0;
    int complete = 0;
    Json json;
    json.open_object()
        .field("transformer", transformer.number)
        .field("name", transformer.name)
        .field("concentrator", database::NetworkReader{connection}.concentrator_at(transformer.id))
        .field("day", iso_day(day));
    json.field("summary_meter",
               meters.empty() || meters.front().to ? std::nullopt : std::optional{meters.front().meter})
        .field("technical_loss_percent", percent)
        .key("intervals")
        .open_array();
    for (const auto& interval : intervals) {
        json.open_object()
            .field("at", interval.at)
            .field("supplied_wh", interval.supplied_wh)
            .field("consumed_wh", interval.consumed_wh);
        json.field("meters_expected", interval.meters_expected).field("meters_read", interval.meters_read);
        if (interval.complete()) {
            const auto loss = *interval.supplied_wh - interval.consumed_wh;
            const auto beyond = suspected(*interval.supplied_wh, loss, percent);
            json.field("loss_wh", loss).field("suspected_wh", beyond);
            supplied += *interval.supplied_wh;
            consumed += interval.consumed_wh;
            suspicion += beyond;
            ++complete;
        } else {
            json.key("loss_wh").null().key("suspected_wh").null();
        }
        json.close_object();
    }
    json.close_array()
        .key("totals")
        .open_object()
        .field("supplied_wh", supplied)
        .field("consumed_wh", consumed);
    json.field("loss_wh", supplied - consumed).field("suspected_wh", suspicion).field("complete", complete);
    json.close_object().close_object();
    return {.body = json.take()};
}

}  // namespace wattmesh::headend::console
