#include <algorithm>

#include "headend/console/api.h"
#include "headend/console/json_body.h"
#include "headend/console/network_json.h"
#include "headend/database/asset_import.h"
#include "headend/database/read_meters.h"
#include "headend/database/read_network.h"
#include "protocol/cosem/units.h"

namespace wattmesh::headend::console {
namespace {

using database::NetworkReader;
using database::Right;
constexpr std::size_t file_size_max = 8U << 20U;
constexpr std::chrono::days load_span_max{400};

void write_below(Json& json, const std::vector<database::NodeLine>& lines) {
    json.key("items").open_array();
    for (const auto& line : lines) {
        json.open_object();
        write(json, line.node);
        json.field("below", line.below).field("usage_points", line.usage_points).field("meters", line.meters);
        json.field("meter", line.meter)
            .field("concentrator", line.concentrator)
            .field("customer", line.customer);
        json.close_object();
    }
    json.close_array();
}

database::NetworkNode wanted_node(database::Connection& connection, const Request& request) {
    const auto kind = database::parse_node_kind(request.captured.at("kind"));
    if (!kind)
        throw Problem{404, "No such kind",
                      "The network has substation, feeder, transformer and usage_point."};
    const auto& number = request.captured.at("number");
    auto found = database::Network{connection, request.caller->user.tenant}.find(*kind, number);
    if (!found)
        throw Problem{404, "Not in the network",
                      "There is no " + std::string{to_string(*kind)} + " '" + number +
                          "' that you may see. A list of assets brings one (Network, Import)."};
    return std::move(*found);
}

Answer top(Context& context, const Request& request) {
    auto connection = context.lease(request);
    Json json;
    json.open_object();
    write_below(json, NetworkReader{*connection}.below({}));
    return {.body = json.close_object().take()};
}

Answer detail(Context& context, const Request& request) {
    auto connection = context.lease(request);
    const auto node = wanted_node(*connection, request);
    NetworkReader reader{*connection};
    Json json;
    json.open_object();
    write(json, node);
    write_path(json, reader.path(node.id));
    json.field("concentrator", reader.concentrator_at(node.id)).key("meters").open_array();
    for (const auto& meter : reader.meters(node.id)) {
        json.open_object().field("meter", meter.meter).field("from", meter.from).field("to", meter.to);
        json.field("start_wh", meter.start_wh).field("final_wh", meter.final_wh).close_object();
    }
    json.close_array().key("customers").open_array();
    for (const auto& supply : reader.supplies(node.id)) {
        json.open_object().key("customer");
        write(json, supply.customer);
        json.field("from", supply.from).field("to", supply.to).close_object();
    }
    json.close_array();
    write_below(json, reader.below(node.id));
    return {.body = json.close_object().take()};
}

/// One curve through every meter that hung at the place, each for its own time.
Answer load_curve(Context& context, const Request& request) {
    const auto from = request.instant("from"), to = request.instant("to");
    if (from >= to || to - from > load_span_max)
        throw Problem{400, "Bad request", "'from' must lie before 'to', at most 400 days."};
    const int channel = request.number("channel", 1, 1, 8);
    auto connection = context.lease(request);
    const auto node = wanted_node(*connection, request);
    auto meters = NetworkReader{*connection}.meters(node.id);
    std::reverse(meters.begin(), meters.end());
    Json json;
    json.open_object()
        .field("kind", to_string(node.kind))
        .field("number", node.number)
        .key("meters")
        .open_array();
    for (const auto& meter : meters) {
        const auto begin = std::max(from, meter.from), end = std::min(to, meter.to.value_or(to));
        if (begin >= end) continue;
        const auto part =
            database::MeterReader{*connection}.curve(meter.id, interval_profile, channel, begin, end);
        if (!part) continue;
        const auto& line = part->channel;
        json.open_object().field("meter", meter.meter).field("period_s", part->period_s);
        json.field("obis", line.register_).field("unit", cosem::unit_name(line.unit));
        json.key("at").open_array();
        for (const auto at : part->at) json.value(static_cast<std::int64_t>(epoch_us(at) / 1'000'000));
        json.close_array().key("value").open_array();
        for (const auto& value : part->value)
            value ? json.value(cosem::scaled(*value, line.scaler)) : json.null();
        json.close_array().key("quality").open_array();
        for (const auto quality : part->quality) json.value(quality);
        json.close_array().close_object();
    }
    return {.body = json.close_array().close_object().take()};
}

Answer balance(Context& context, const Request& request) {
    const auto day = request.day("day", context.today());
    auto connection = context.lease(request);
    const auto found = database::Network{*connection, request.caller->user.tenant}.find(
        database::NodeKind::transformer, request.captured.at("number"));
    if (!found)
        throw Problem{404, "Not in the network",
                      "There is no transformer '" + request.captured.at("number") + "' that you may see."};
    return balance_of(context, *connection, *found, day);
}

Answer losses(Context& context, const Request& request) {
    const auto day = request.day("day", context.today() - std::chrono::days{1});
    auto connection = context.lease(request);
    Json json;
    json.open_object()
        .field("day", iso_day(day))
        .field("technical_loss_percent", context.settings.technical_loss_percent);
    json.key("items").open_array();
    for (const auto& line : NetworkReader{*connection}.losses(request.caller->user.tenant, day)) {
        json.open_object();
        write(json, line.transformer);
        json.field("supplied_wh", line.supplied_wh).field("consumed_wh", line.consumed_wh);
        json.field("meters", line.meters).field("meters_complete", line.meters_complete).key("loss_wh");
        if (line.complete())
            json.value(*line.supplied_wh - line.consumed_wh);
        else
            json.null();
        json.close_object();
    }
    return {.body = json.close_array().close_object().take()};
}

Answer import(Context& context, const Request& request) {
    const JsonBody body{request.body};
    const auto content = body.text("content", file_size_max);
    database::AssetOptions options;
    options.tenant = request.caller->user.tenant;
    options.now = options.since = context.now();
    options.dry_run = body.flag_or("dry_run", false);
    options.reason = options.dry_run ? std::string{} : body.text("reason", 200);
    options.actor = request.caller->name();
    options.file = body.text("file", 200);
    auto connection = context.lease(request);
    if (body.has("since")) {
        const auto since =
            database::Network{*connection, options.tenant}.local_instant(body.text("since", 16));
        if (!since || *since > options.now)
            throw Problem{400, "Bad request",
                          "'since' must be a past day like 2026-11-22, or 2026-11-22T14:05."};
        options.since = *since;
    }
    database::AssetReport report;
    try {
        report = database::AssetImport{*connection}.run(content, options);
    } catch (const database::DatabaseError&) {
        throw;
    } catch (const std::runtime_error& why) {
        throw Problem{400, "Not a list of assets", options.file + " was not imported: " + why.what() + "."};
    }
    Json json;
    json.open_object().field("dry_run", options.dry_run).field("accepted", report.accepted);
    json.field("unchanged", report.unchanged).field("refused", report.refused).field("sha256", report.sha256);
    json.key("lines").open_array();
    for (const auto& line : report.lines)
        json.open_object()
            .field("line", line.line)
            .field("kind", line.kind)
            .field("number", line.number)
            .field("outcome", to_string(line.outcome))
            .field("why", line.why)
            .close_object();
    return {.body = json.close_array().close_object().take()};
}

}  // namespace

void add_network_routes(std::vector<Route>& routes, Context& context) {
    add_route(routes, context, "GET", "/api/network", Right::look, top);
    add_route(routes, context, "GET", "/api/network/{kind}/{number}", Right::look, detail);
    add_route(routes, context, "GET", "/api/network/{kind}/{number}/curve", Right::look, load_curve);
    add_route(routes, context, "GET", "/api/transformers/{number}/balance", Right::look, balance);
    add_route(routes, context, "GET", "/api/losses", Right::look, losses);
    add_route(routes, context, "POST", "/api/assets", Right::configure, import).body_size_max =
        2 * file_size_max;
}

}  // namespace wattmesh::headend::console
