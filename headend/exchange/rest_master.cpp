// The contract itself, and what a utility knows of its network: meters, usage points, events.
#include <charconv>

#include "headend/console/json.h"
#include "headend/database/partner_master.h"
#include "headend/exchange/rest_desk.h"

namespace wattmesh::headend::exchange {
namespace {

using console::Answer;
using console::Json;
using console::Problem;
constexpr int master_page = 500, master_page_max = 5'000;
constexpr auto events_span_max = std::chrono::hours{24 * 31};

void write_texts(Json& json, const char* name, const std::vector<std::string>& texts) {
    json.key(name).open_array();
    for (const auto& text : texts) json.value(text);
    json.close_array();
}

RestAnswer contract(RestDesk& desk, const RestCall& call) {
    const auto& contract = call.contract;
    Json json;
    json.open_object().field("name", contract.name).field("client", call.client).field("now", desk.now());
    json.key("areas");
    if (contract.areas) {
        json.open_array();
        for (const auto& area : *contract.areas) json.value(area.value);
        json.close_array();
    } else {
        json.null();
    }
    write_texts(json, "topics", contract.topics);
    write_texts(json, "allowed", contract.allowed);
    json.field("requests_per_minute", contract.requests_per_minute).close_object();
    return Answer{.body = json.take()};
}

void write_meter(Json& json, const database::MasterMeter& meter) {
    json.open_object().field("meter", meter.number);
    json.field("serial", meter.serial.empty() ? std::nullopt : std::optional{meter.serial});
    json.field("model", meter.model).field("manufacturer", meter.manufacturer);
    json.field("role", meter.role == dcu::MeterRole::summary ? "summary" : "customer")
        .field("area", meter.area);
    json.field("installed", meter.installed).field("usage_point", meter.usage_point);
    json.field("transformer", meter.transformer).close_object();
}

/// Closes the page: "next" is null on the last one.
Answer page_of(Json& json, bool more, const std::string& last) {
    json.close_array().key("next");
    more ? json.value(last) : json.null();
    return {.body = json.close_object().take()};
}

RestAnswer meters(RestDesk& desk, const RestCall& call) {
    const auto cursor = call.request.text("cursor");
    const auto after = DeviceNumber::parse(cursor);
    if (!cursor.empty() && !after)
        throw Problem{400, "Bad request", "'cursor' must be the 'next' of the page before."};
    const int count = call.request.number("limit", master_page, 1, master_page_max);
    auto connection = desk.seen(call.contract);
    const auto found = database::PartnerMaster{*connection}.meters(after, count, desk.now());
    Json json;
    json.open_object().key("items").open_array();
    for (const auto& meter : found) write_meter(json, meter);
    const bool more = static_cast<int>(found.size()) == count;
    return page_of(json, more, more ? to_string(found.back().number) : std::string{});
}

RestAnswer meter(RestDesk& desk, const RestCall& call) {
    const auto number = call.request.device("number");
    auto connection = desk.seen(call.contract);
    const auto found = database::PartnerMaster{*connection}.meter(number, desk.now());
    if (!found) throw Problem{404, "Unknown meter", "The contract shows no meter " + to_string(number) + "."};
    Json json;
    write_meter(json, *found);
    return Answer{.body = json.take()};
}

RestAnswer usage_points(RestDesk& desk, const RestCall& call) {
    const int count = call.request.number("limit", master_page, 1, master_page_max);
    auto connection = desk.seen(call.contract);
    const auto found =
        database::PartnerMaster{*connection}.usage_points(call.request.text("cursor"), count, desk.now());
    Json json;
    json.open_object().key("items").open_array();
    for (const auto& point : found) {
        json.open_object()
            .field("usage_point", point.number)
            .field("name", point.name)
            .field("area", point.area);
        json.field("latitude", point.latitude).field("longitude", point.longitude);
        json.field("transformer", point.transformer).field("meter", point.meter);
        json.field("meter_since", point.since).close_object();
    }
    const bool more = static_cast<int>(found.size()) == count;
    return page_of(json, more, more ? found.back().number : std::string{});
}

/// "at.device.journal.sequence", all of them numbers.
std::optional<database::EventCursor> event_cursor(const std::string& text) {
    std::array<std::int64_t, 4> parts{};
    const char *at = text.data(), *const end = at + text.size();
    for (std::size_t i = 0; i < parts.size(); ++i) {
        if (i > 0) {
            if (at == end || *at != '.') return std::nullopt;
            ++at;
        }
        const auto [after, error] = std::from_chars(at, end, parts[i]);
        if (error != std::errc{} || parts[i] < 0) return std::nullopt;
        at = after;
    }
    if (at != end) return std::nullopt;
    return database::EventCursor{from_epoch_us(parts[0]), parts[1], parts[2], parts[3]};
}
std::string cursor_text(const database::MasterEvent& event) {
    return std::to_string(epoch_us(event.at)) + "." +
           std::to_string(event.meter ? event.meter->integer() : 0) + "." + std::to_string(event.journal) +
           "." + std::to_string(event.sequence);
}

RestAnswer events(RestDesk& desk, const RestCall& call) {
    const auto& request = call.request;
    const auto devices = call.devices("meter");
    const auto from = request.instant("from"), to = request.instant("to");
    if (from > to || (devices.empty() && to - from > events_span_max))
        throw Problem{400, "Bad request",
                      "'from' must be before 'to', and without 'meter' at most 31 days before."};
    const auto cursor = request.text("cursor");
    const auto after = event_cursor(cursor);
    if (!cursor.empty() && !after)
        throw Problem{400, "Bad request", "'cursor' must be the 'next' of the page before."};
    const int count = request.number("limit", master_page, 1, master_page_max);
    auto connection = desk.seen(call.contract);
    const auto found =
        database::PartnerMaster{*connection}.events(call.contract.id, devices, from, to, after, count);
    Json json;
    json.open_object().key("items").open_array();
    for (const auto& event : found) {
        json.open_object().field("at", event.at).field("received", event.received);
        json.field("name", event.name).field("code", event.code).field("concentrator", event.concentrator);
        json.field("meter", event.meter).field("clock_doubtful", event.clock_doubtful).close_object();
    }
    const bool more = static_cast<int>(found.size()) == count;
    return page_of(json, more, more ? cursor_text(found.back()) : std::string{});
}

}  // namespace

void add_master_routes(std::vector<RestRoute>& routes) {
    routes.push_back({"GET", "/partner/v1/contract", "", contract});
    routes.push_back({.method = "GET",
                      .pattern = "/partner/v1/meters",
                      .needs = "master",
                      .handle = meters,
                      .stable = true});
    routes.push_back({.method = "GET",
                      .pattern = "/partner/v1/meters/{number}",
                      .needs = "master",
                      .handle = meter,
                      .stable = true});
    routes.push_back({.method = "GET",
                      .pattern = "/partner/v1/usage-points",
                      .needs = "master",
                      .handle = usage_points,
                      .stable = true});
    routes.push_back({"GET", "/partner/v1/events", "events", events});
}

}  // namespace wattmesh::headend::exchange
